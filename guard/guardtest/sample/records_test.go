package sample_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// carried reads the messages of an event as a function would.
func carried(t *testing.T, event sample.Event) []string {
	t.Helper()
	var all []string
	decode := func(v any) {
		if err := json.Unmarshal(event.Bytes(), v); err != nil {
			t.Fatal(err)
		}
	}
	text := func(encoded string) {
		b, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	switch guard.EventOf(t.Context(), event.Bytes()).Trigger() {
	case guard.SQS:
		var in events.SQSEvent
		decode(&in)
		for _, r := range in.Records {
			all = append(all, r.Body)
		}
	case guard.SNS:
		var in events.SNSEvent
		decode(&in)
		for _, r := range in.Records {
			all = append(all, r.SNS.Message)
		}
	case guard.Kinesis:
		var in events.KinesisEvent
		decode(&in)
		for _, r := range in.Records {
			all = append(all, string(r.Kinesis.Data))
		}
	case guard.Firehose:
		var in events.KinesisFirehoseEvent
		decode(&in)
		for _, r := range in.Records {
			all = append(all, string(r.Data))
		}
	case guard.Kafka:
		var in events.KafkaEvent
		decode(&in)
		for _, r := range in.Records["orders-0"] {
			text(r.Value)
		}
	case guard.MQ:
		var in struct {
			events.ActiveMQEvent
			Queues map[string][]events.RabbitMQMessage `json:"rmqMessagesByQueue"`
		}
		decode(&in)
		for _, m := range in.Messages {
			text(m.Data)
		}
		for _, m := range in.Queues["orders::/"] {
			text(m.Data)
			if want := len(all[len(all)-1]); m.BasicProperties.BodySize != uint64(want) {
				t.Errorf("bodySize %d, want %d", m.BasicProperties.BodySize, want)
			}
		}
	case guard.CloudWatchLogs:
		var in events.CloudwatchLogsEvent
		decode(&in)
		logs, err := in.AWSLogs.Parse()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range logs.LogEvents {
			all = append(all, e.Message)
		}
	}
	return all
}

func TestMessagesGoWhereTheTriggerHasThem(t *testing.T) {
	carriers := 0
	for name, event := range sample.All() {
		if carried(t, event) == nil {
			continue
		}
		carriers++
		want := []string{`{"order":1}`, "", "ü <&> \n"}
		if got := carried(t, event.Messages(want...)); !slices.Equal(got, want) {
			t.Errorf("%s carries %q, want %q", name, got, want)
		}
		if got := carried(t, event.Messages()); len(got) != 0 {
			t.Errorf("%s carries %q, want none", name, got)
		}
	}
	if carriers != 11 {
		t.Errorf("%d samples carry messages, want 11", carriers)
	}
}

func TestRepeatedRecordsHaveIdsOfTheirOwn(t *testing.T) {
	for _, tc := range []struct {
		event   sample.Event
		records string
		ids     []string
	}{
		{event: sample.Of(guard.SQS), records: "/Records", ids: []string{"messageId", "receiptHandle"}},
		{
			event:   sample.Of(guard.SQS, "fifo"),
			records: "/Records",
			ids:     []string{"messageId", "receiptHandle", "attributes/SequenceNumber", "attributes/MessageDeduplicationId"},
		},
		{event: sample.Of(guard.SNS), records: "/Records", ids: []string{"Sns/MessageId"}},
		{
			event:   sample.Of(guard.S3),
			records: "/Records",
			ids:     []string{"s3/object/sequencer", "responseElements/x-amz-request-id"},
		},
		{event: sample.Of(guard.S3, "removed"), records: "/Records", ids: []string{"s3/object/sequencer"}},
		{event: sample.Of(guard.SES), records: "/Records", ids: []string{"ses/mail/messageId"}},
		{event: sample.Of(guard.Kinesis), records: "/Records", ids: []string{"eventID", "kinesis/sequenceNumber"}},
		{event: sample.Of(guard.DynamoDB), records: "/Records", ids: []string{"eventID", "dynamodb/SequenceNumber"}},
		{
			event:   sample.Of(guard.DynamoDB, "modify"),
			records: "/Records",
			ids:     []string{"eventID", "dynamodb/SequenceNumber"},
		},
		{
			event:   sample.Of(guard.DynamoDB, "remove"),
			records: "/Records",
			ids:     []string{"eventID", "dynamodb/SequenceNumber"},
		},
		{event: sample.Of(guard.CodeCommit), records: "/Records", ids: []string{"eventId"}},
		{event: sample.Of(guard.Firehose), records: "/records", ids: []string{"recordId"}},
		{
			event:   sample.Of(guard.Firehose, "kinesis"),
			records: "/records",
			ids:     []string{"recordId", "kinesisRecordMetadata/sequenceNumber"},
		},
		{event: sample.Of(guard.Kafka), records: "/records/orders-0", ids: []string{"offset"}},
		{event: sample.Of(guard.Kafka, "self-managed"), records: "/records/orders-0", ids: []string{"offset"}},
		{event: sample.Of(guard.MQ), records: "/messages", ids: []string{"messageID"}},
	} {
		const n = 12
		event := tc.event.Repeat(n)
		for _, id := range tc.ids {
			seen := map[any]bool{}
			for i := range n {
				seen[event.Get(fmt.Sprintf("%s/%d/%s", tc.records, i, id))] = true
			}
			if len(seen) != n {
				t.Errorf("%s: %d different ones in %d records", id, len(seen), n)
			}
		}
		if first := tc.records + "/0"; !reflect.DeepEqual(event.Get(first), tc.event.Get(first)) {
			t.Errorf("the first record has changed: %v", event.Get(first))
		}
		if got := tc.event.Repeat(0).Get(tc.records); !reflect.DeepEqual(got, []any{}) {
			t.Errorf("no records are %v", got)
		}
	}
}

func TestKinesisNamesARecordByShardAndSequenceNumber(t *testing.T) {
	event := sample.Of(guard.Kinesis).Repeat(12)
	for i := range 12 {
		record := fmt.Sprintf("/Records/%d", i)
		_, number, _ := strings.Cut(event.Get(record+"/eventID").(string), ":")
		if want := event.Get(record + "/kinesis/sequenceNumber"); number != want {
			t.Errorf("eventID ends in %s, want %s", number, want)
		}
	}
}

func TestLogEventsKeepWhatIsAroundThem(t *testing.T) {
	data := sample.Of(guard.CloudWatchLogs).Messages("a", "b").Get("/awslogs/data").(string)
	packed, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var logs events.CloudwatchLogsData
	if err := json.Unmarshal(plain, &logs); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, e := range logs.LogEvents {
		ids[e.ID] = true
	}
	if logs.Owner != guardtest.AccountID || logs.LogGroup != "/aws/lambda/orders" || len(ids) != 2 {
		t.Errorf("log events became %s", plain)
	}
}

// A test may change a sample beyond recognition: what is not there is left out.
func TestRecordsWithoutTheirUsualMembersAreRepeated(t *testing.T) {
	event := sample.Of(guard.SQS).Delete("/Records/0/md5OfBody").Set("/Records/0/messageId", "mine").Messages("a", "b")
	for i, want := range []string{"mine", "mine1"} {
		if got := event.Get(fmt.Sprintf("/Records/%d/messageId", i)); got != want {
			t.Errorf("messageId %v, want %s", got, want)
		}
	}
	if strings.Contains(event.String(), "md5OfBody") {
		t.Errorf("md5OfBody came back: %s", event)
	}
}
