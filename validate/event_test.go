package validate_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/validate"
)

func TestEventJudgesThePayload(t *testing.T) {
	layer := validate.Event(mustCompile([]byte(`{"properties":{"n":{"type":"integer"}},"required":["n"]}`)))
	for payload, want := range map[string]string{
		`{"n":1}`:         "",
		`{"n":"x"}`:       "validation_failed",
		`{}`:              "validation_failed",
		`{"n":1,"n":2}`:   "duplicate_member",
		`{"n":1e1000001}`: "validation_failed",
		`nothing`:         "malformed_json",
	} {
		_, err := invoke(t, []byte(payload), layer)
		if e := refusal(t, err); (e == nil) != (want == "") || e != nil && e.Code != want {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// One record that is wrong fails alone, with an error that says that trying
// again cannot help.
func TestRecords(t *testing.T) {
	schema := mustCompile([]byte(`{"type":"object","required":["sku"]}`))
	var handled []string
	sqs := validate.Records[events.SQSMessage](schema)(func(_ context.Context, m events.SQSMessage) error {
		handled = append(handled, m.MessageId)
		if m.MessageId == "broken" {
			return errors.New("the handler's own")
		}
		return nil
	})
	for _, tt := range []struct{ id, body, code string }{
		{id: "good", body: `{"sku":"a"}`},
		{id: "bad", body: `{}`, code: "validation_failed"},
		{id: "torn", body: `{`, code: "malformed_json"},
		{id: "empty", code: "malformed_json"},
		{id: "also good", body: `{"sku":"b"}`},
	} {
		err := sqs(context.Background(), events.SQSMessage{MessageId: tt.id, Body: tt.body})
		if e := refusal(t, err); (e == nil) != (tt.code == "") || e != nil && (e.Code != tt.code || e.Kind.Retryable()) {
			t.Errorf("%s: %v", tt.id, err)
		}
	}
	if err := sqs(context.Background(), events.SQSMessage{MessageId: "broken", Body: `{"sku":"c"}`}); err == nil || err.Error() != "the handler's own" {
		t.Errorf("the handler's error became %v", err)
	}
	if got := strings.Join(handled, ","); got != "good,also good,broken" {
		t.Errorf("handled %s", got)
	}
}

func TestRecordsOfEveryKind(t *testing.T) {
	schema := mustCompile([]byte(`{"const":"x"}`))
	ctx := context.Background()
	good, bad := []byte(`"x"`), []byte(`"y"`)
	sns := validate.Records[events.SNSEventRecord](schema)(func(context.Context, events.SNSEventRecord) error { return nil })
	kinesis := validate.Records[events.KinesisEventRecord](schema)(func(context.Context, events.KinesisEventRecord) error { return nil })
	firehose := validate.Records[events.KinesisFirehoseEventRecord](schema)(func(context.Context, events.KinesisFirehoseEventRecord) error { return nil })
	kafka := validate.Records[events.KafkaRecord](schema)(func(context.Context, events.KafkaRecord) error { return nil })
	if err := kafka(ctx, events.KafkaRecord{Value: "not base64"}); guard.Public(err).Code != "record_not_base64" {
		t.Errorf("got %v for a value that is not base64, want record_not_base64", err)
	}
	for _, text := range [][]byte{good, bad} {
		for kind, err := range map[string]error{
			"SNS":      sns(ctx, events.SNSEventRecord{SNS: events.SNSEntity{Message: string(text)}}),
			"Kinesis":  kinesis(ctx, events.KinesisEventRecord{Kinesis: events.KinesisRecord{Data: text}}),
			"Kafka":    kafka(ctx, events.KafkaRecord{Value: base64.StdEncoding.EncodeToString(text)}),
			"Firehose": firehose(ctx, events.KinesisFirehoseEventRecord{Data: text}),
		} {
			if (err == nil) != (text[1] == 'x') {
				t.Errorf("%s of %s: %v", kind, text, err)
			}
		}
	}
}

// The log says where an answer is not as promised, and no value of it: neither
// one of a member nor one that is the name of a member.
func TestTheLogOfAResultNamesThePlaces(t *testing.T) {
	schema := mustCompile([]byte(`{"type":"object","properties":{"items":{"additionalProperties":{"properties":{"sku":{"type":"string"}}}}}}`))
	var log bytes.Buffer
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"items":{"zoe@example.com":{"sku":40417}}}`), nil
	})
	_, err := guard.Wrap(h, guard.Log(logging.New(&log)), guard.Errors(), validate.Result(schema)).Invoke(t.Context(), []byte(`{}`))
	if err == nil || strings.Contains(err.Error(), "sku") {
		t.Errorf("got %v, want an error that names no place", err)
	}
	if got := log.String(); !strings.Contains(got, "/items/*/sku type") || strings.Contains(got, "40417") || strings.Contains(got, "zoe") {
		t.Errorf("got %s, want /items/*/sku type", got)
	}
}

// An answer that is not as promised is our fault, and the caller does not learn how.
func TestResult(t *testing.T) {
	layer := validate.Result(mustCompile([]byte(`{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`)))
	post := request(t, `{}`)
	for _, tt := range []struct {
		rule    string
		payload []byte
		answer  string
		ok      bool
	}{
		{rule: "a direct answer", payload: []byte(`{}`), answer: `{"id":"a"}`, ok: true},
		{rule: "a wrong one", payload: []byte(`{}`), answer: `{"id":40417}`},
		{rule: "one that is not JSON", payload: []byte(`{}`), answer: `40417 {`},
		{rule: "none", payload: []byte(`{}`)},
		{rule: "the body of a response", payload: post, answer: `{"statusCode":201,"body":"{\"id\":\"a\"}"}`, ok: true},
		{rule: "a status as a text", payload: post, answer: `{"statusCode":"201","body":"{\"id\":40417}"}`},
		{rule: "another status as a text", payload: post, answer: `{"statusCode":"404","body":"{}"}`, ok: true},
		{rule: "a wrong body", payload: post, answer: `{"statusCode":201,"body":"{\"id\":40417}"}`},
		{rule: "a body that is missing", payload: post, answer: `{"statusCode":200}`},
		{
			rule:    "in base64",
			payload: post,
			answer:  `{"statusCode":200,"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte(`{"id":40417}`)) + `"}`,
		},
		{rule: "in bad base64", payload: post, answer: `{"statusCode":200,"isBase64Encoded":true,"body":"!"}`},
		{rule: "a status with nothing to say", payload: post, answer: `{"statusCode":204}`, ok: true},
		{rule: "a status that is no success", payload: post, answer: `{"statusCode":404,"body":"{}"}`, ok: true},
		{rule: "no status: the answer is the body", payload: post, answer: `{"id":40417}`},
		{rule: "no status, as promised", payload: post, answer: `{"id":"a"}`, ok: true},
		{rule: "no object", payload: post, answer: `"x"`},
	} {
		h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(tt.answer), nil })
		out, err := guard.Wrap(h, layer).Invoke(context.Background(), tt.payload)
		if tt.ok {
			if err != nil || string(out) != tt.answer {
				t.Errorf("%s: %s, %v", tt.rule, out, err)
			}
			continue
		}
		e := refusal(t, err)
		if e == nil || out != nil || e.Kind != guard.Internal || e.Detail != "" || len(e.Violations) > 0 || e.Code != "" {
			t.Errorf("%s: %s, %+v", tt.rule, out, e)
		}
		if strings.Contains(err.Error(), "40417") {
			t.Errorf("%s: repeated in %v", tt.rule, err)
		}
	}
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`{"id":1}`), nil })
	_, err := guard.Wrap(h, layer).Invoke(context.Background(), []byte(`{}`))
	if want := `"/id" type must be a string`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the operator does not read %s in: %v", want, err)
	}
	boom := errors.New("boom")
	failing := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, boom })
	if _, err := guard.Wrap(failing, layer).Invoke(context.Background(), []byte(`{}`)); !errors.Is(err, boom) {
		t.Errorf("an error became %v", err)
	}
}
