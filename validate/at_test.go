package validate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/validate"
)

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func gzipped(text []byte) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Each envelope takes what was sent out of an event: order, or a list of it.
func TestEnvelopes(t *testing.T) {
	const order, bad = `{"sku":"KB-101"}`, `{"sku":7}`
	one := `{"type":"object","properties":{"sku":{"type":"string"}},"required":["sku"]}`
	list := `{"type":"array","minItems":1,"items":` + one + `}`
	for _, tt := range []struct{ name, expr, event, schema, place string }{
		{"API Gateway REST", validate.EnvelopeAPIGatewayREST, `{"body":%q}`, one, "/sku"},
		{"API Gateway HTTP", validate.EnvelopeAPIGatewayHTTP, `{"body":%q}`, one, "/sku"},
		{"SQS", validate.EnvelopeSQS, `{"Records":[{"body":"{\"sku\":\"A\"}"},{"body":%q}]}`, list, "/1/sku"},
		{"SNS", validate.EnvelopeSNS, `{"Records":[{"Sns":{"Message":%q}}]}`, one, "/sku"},
		{"EventBridge", validate.EnvelopeEventBridge, `{"detail":%s}`, one, "/sku"},
		{"a schedule", validate.EnvelopeSchedule, `{"detail":%s}`, one, "/sku"},
		{"Kinesis", validate.EnvelopeKinesisDataStream, `{"Records":[{"kinesis":{"data":"%b"}}]}`, list, "/0/sku"},
		{"CloudWatch Logs", validate.EnvelopeCloudWatchLogs, `{"awslogs":{"data":"%g"}}`, list, "/0/sku"},
		{"S3 by SQS", validate.EnvelopeS3SQS, `{"Records":[{"body":%r}]}`, list, "/0/sku"},
		{"S3 by SNS and SQS", validate.EnvelopeS3SNSSQS, `{"Records":[{"body":%m}]}`, list, "/0/sku"},
		{"S3 by SNS and Firehose", validate.EnvelopeS3SNSKinesisFirehose, `{"records":[{"data":"%mb"}]}`, list, "/0/sku"},
		{"S3 by Firehose", validate.EnvelopeS3KinesisFirehose, `{"records":[{"data":"%rb"}]}`, list, "/0/sku"},
		{"S3 by EventBridge and SQS", validate.EnvelopeS3EventBridgeSQS, `{"Records":[{"body":%d}]}`, list, "/0/sku"},
	} {
		event := func(sent string) []byte {
			records := `{"Records":[` + sent + `]}`
			message := `{"Message":` + quoted(records) + `}`
			return []byte(strings.NewReplacer("%q", quoted(sent), "%s", sent, "%b", b64(sent),
				"%g", gzipped([]byte(`{"logEvents":[`+sent+`]}`)), "%rb", b64(records), "%r", quoted(records),
				"%mb", b64(message), "%m", quoted(message), "%d", quoted(`{"detail":`+sent+`}`)).Replace(tt.event))
		}
		layer := validate.At(tt.expr, validate.MustCompile([]byte(tt.schema)))
		if _, err := invoke(t, event(order), layer); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		_, err := invoke(t, event(bad), layer)
		if got, want := listed(refusal(t, err)), tt.place+" type: must be a string"; got != want {
			t.Errorf("%s: got %q, want %q: %v", tt.name, got, want, err)
		}
	}
}

// What cannot be selected or decoded is refused, also where JMESPath takes an
// error for nothing.
func TestAtFailsClosed(t *testing.T) {
	any, big := `{"multipleOf":1}`, gzipped(make([]byte, 10<<20+1))
	for _, tt := range []struct{ rule, expr, event, code string }{
		{"nothing selected", "detail", `{"x":1}`, "nothing_selected"},
		{"null selected", "detail", `{"detail":null}`, "nothing_selected"},
		{"no body", validate.EnvelopeSQS, `{"Records":[{"body":"{}"},{}]}`, "wrong_type"},
		{"a body that is no string", validate.EnvelopeSQS, `{"Records":[{"body":{}}]}`, "wrong_type"},
		{"null in a string, which a projection would leave out", validate.EnvelopeSQS, `{"Records":[{"body":"{}"},{"body":"null"}]}`, "nothing_selected"},
		{"not JSON", validate.EnvelopeSQS, `{"Records":[{"body":"{"}]}`, "malformed_json"},
		{"a member twice", validate.EnvelopeSQS, `{"Records":[{"body":"{\"a\":1,\"a\":2}"}]}`, "duplicate_member"},
		{"an error left of a projection", "powertools_json(a).b[*]", `{"a":"{"}`, "malformed_json"},
		{"an error left of a filter", "powertools_json(a)[?b]", `{"a":"{"}`, "malformed_json"},
		{"an error left of a flattening", "powertools_json(a)[]", `{"a":"{"}`, "malformed_json"},
		{"an error in the other branch of or", "a || powertools_base64(b)", `{"b":"!"}`, "malformed_base64"},
		{"not base64", "powertools_base64(a)", `{"a":"!"}`, "malformed_base64"},
		{"not UTF-8", "powertools_base64(a)", `{"a":"/w=="}`, "invalid_utf8"},
		{"not base64, packed", "powertools_base64_gzip(a)", `{"a":"!"}`, "malformed_base64"},
		{"not gzip", "powertools_base64_gzip(a)", `{"a":"YWJj"}`, "malformed_gzip"},
		{"gzip that is cut off", "powertools_base64_gzip(a)", `{"a":"` + b64(string([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1})) + `"}`, "malformed_gzip"},
		{"more than 10 MiB of it", "powertools_base64_gzip(a)", `{"a":"` + big + `"}`, "text_too_large"},
		{"a function given another type", "sum(a)", `{"a":["s3cr3t"]}`, "wrong_type"},
		{"a function given what it cannot compare", "contains(a, a[0])", `{"a":[["s3cr3t"]]}`, "wrong_type"},
		{"a number that a float64 cannot hold, compared", "items[?n > `5`]", `{"items":[{"n":9007199254740993}]}`, "number_not_exact"},
		{"or one beyond it", "items[?n > `5`]", `{"items":[{"n":1e400}]}`, "number_not_exact"},
		{"also in a text", "powertools_json(a)[?n == `1`]", `{"a":"[{\"n\":0.10000000000000000001}]"}`, "number_not_exact"},
		{"a division by zero", "a / b", `{"a":1,"b":0}`, "number_not_exact"},
		{"zero by zero, deep inside", "{a: [b / b]}", `{"b":0}`, "number_not_exact"},
		{"a product beyond a float64", "a * a", `{"a":1e300}`, "number_not_exact"},
		{"a text that says that it is no number", "to_number(a)", `{"a":"NaN"}`, "number_not_exact"},
		{"an event that is not JSON", "a", `{`, "malformed_json"},
	} {
		_, err := invoke(t, []byte(tt.event), validate.At(tt.expr, validate.MustCompile([]byte(any))))
		e := refusal(t, err)
		if e == nil || e.Code != tt.code {
			t.Errorf("%s: got %v, want %s", tt.rule, err, tt.code)
		}
		if err != nil && strings.Contains(shown(err), "s3cr3t") {
			t.Errorf("%s: repeated in %s", tt.rule, shown(err))
		}
	}
}

func TestAtJudgesNumbers(t *testing.T) {
	for _, tt := range []struct {
		rule, expr, event, schema string
		valid                     bool
	}{
		{"as written where the expression does not look at them", "a", `{"a":9007199254740993}`, `{"maximum":9007199254740992}`, false},
		{"a comparison selects by value", "items[?n > `5`].n", `{"items":[{"n":4},{"n":6}]}`, `{"items":{"maximum":5}}`, false},
		{"and what is exact stays what it is", "items[?n > `5`].n", `{"items":[{"n":4},{"n":6.1}]}`, `{"items":{"const":6.1},"minItems":1}`, true},
		{"a function too", "max(a)", `{"a":[1,2.5,1e3]}`, `{"const":1000}`, true},
	} {
		_, err := invoke(t, []byte(tt.event), validate.At(tt.expr, validate.MustCompile([]byte(tt.schema))))
		if (err == nil) != tt.valid {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestAtDecompressesTenMiB(t *testing.T) {
	text := fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 10<<20-8))
	event := []byte(`{"awslogs":{"data":"` + gzipped([]byte(text)) + `"}}`)
	layer := validate.At("awslogs.powertools_base64_gzip(data)", validate.MustCompile([]byte(`{"minLength":10485760}`)))
	if _, err := invoke(t, event, layer); err != nil {
		t.Error(err)
	}
}
