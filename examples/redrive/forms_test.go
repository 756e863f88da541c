package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	lambda "github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// The records of Lambda are those of its developer guide, shortened.
const (
	asyncRecord = `{"version":"1.0","timestamp":"2026-12-01T12:00:00.000Z",
		"requestContext":{"requestId":"e4b46cbf","functionArn":"arn:aws:lambda:eu-central-1:111122223333:function:booking:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},
		"requestPayload":{"order":1},
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
		"responsePayload":{"errorMessage":"RequestId: e4b46cbf Process exited before completing request"}}`
	droppedRecord = `{"version":"1.0","timestamp":"2026-12-01T12:00:00.000Z",
		"requestContext":{"requestId":"e4b46cbf","functionArn":"arn","condition":"RetriesExhausted","approximateInvokeCount":3},
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}}`
	streamInfo = `"KinesisBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"49601189658422359378836298521827638475320189012309704722","endSequenceNumber":"49601189658422359378836298522902373528957594348623495186",
		"approximateArrivalOfFirstRecord":"2026-12-01T11:00:00Z","approximateArrivalOfLastRecord":"2026-12-01T11:01:00Z","batchSize":500,"streamArn":"arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"}`
	streamContext = `"version":"1.0","timestamp":"2026-12-01T12:00:00.000Z",
		"requestContext":{"requestId":"c9b8fa9f","functionArn":"arn","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},`
	streamRecord   = `{` + streamContext + streamInfo + `}`
	streamInBucket = `{` + streamContext + streamInfo + `,"payload":"{\"Records\":[{\"eventSource\":\"aws:kinesis\"}]}"}`
)

// notification returns the message of a topic that is subscribed by a queue, as in
// the developer guide of SNS.
func notification(t *testing.T, message, attributes string) string {
	t.Helper()
	return `{"Type":"Notification","MessageId":"22b80b92","TopicArn":"arn:aws:sns:eu-central-1:111122223333:loyalty","Message":` + quoted(message) + `,
		"Timestamp":"2026-12-01T12:00:00.000Z","SignatureVersion":"1","Signature":"EXAMPLE","SigningCertURL":"https://sns.example/c.pem",
		"UnsubscribeURL":"https://sns.example/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:111122223333:loyalty:c9135db0","MessageAttributes":` + attributes + `}`
}

// delivered is the event of that notification.
const delivered = `{"Records":[{"EventVersion":"1.0","EventSubscriptionArn":"arn:aws:sns:eu-central-1:111122223333:loyalty:c9135db0","EventSource":"aws:sns","Sns":{
	"Type":"Notification","MessageId":"22b80b92","TopicArn":"arn:aws:sns:eu-central-1:111122223333:loyalty","Message":"hello","Subject":"",
	"Timestamp":"2026-12-01T12:00:00Z","SignatureVersion":"1","Signature":"EXAMPLE","SigningCertUrl":"https://sns.example/c.pem",
	"UnsubscribeUrl":"https://sns.example/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:111122223333:loyalty:c9135db0",
	"MessageAttributes":{"a":{"Type":"String","Value":"1"}}}}]}`

func equalJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(want), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func sampleOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../guard/guardtest/sample/samples/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each form runs again as the event that the function got.
func TestEachFormRunsAgainAsTheEventThatItWas(t *testing.T) {
	a := newAccount(t)
	payloads := awstest.Bucket(t, a.objects)
	large := sqsdead.Large(s3dead.NewPayloads(a.objects, payloads))
	clicks := batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Source: "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks", Record: json.RawMessage(`{"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}`), Code: "c"}
	many := clicks
	many.Record = json.RawMessage(`{"eventSource":"aws:kinesis","kinesis":{"data":"` + strings.Repeat("e30=", 300_000) + `"}}`)
	long := letter(t, "b", 0)
	long.Record = json.RawMessage(strings.Replace(string(long.Record), `"body":"b"`, `"body":"`+strings.Repeat("x", 1<<20-100)+`"`, 1))
	pointer := `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"producers","s3Key":"k"}]`
	foreign := letter(t, "p", 0)
	foreign.Record = json.RawMessage(strings.Replace(string(foreign.Record), `"body":"p"`, `"body":`+quoted(pointer), 1))
	foreign.Record = json.RawMessage(strings.Replace(string(foreign.Record), `"messageAttributes":{}`, `"messageAttributes":{"ExtendedPayloadSize":{"dataType":"Number","stringValue":"9","stringListValues":[],"binaryListValues":[]}}`, 1))

	for name, tt := range map[string]struct {
		letter *batch.DeadLetter
		body   string
		attrs  map[string]types.MessageAttributeValue
		args   []string
		want   string // the event
		wants  string // the body of its message, in place of that
	}{
		"a letter of a message":          {letter: ptr(letter(t, "hello", 3)), wants: "hello"},
		"one with a payload":             {letter: &long, args: []string{"-payloads", payloads}, wants: strings.Repeat("x", 1<<20-100)},
		"one with a producer's payload":  {letter: &foreign, args: []string{"-payloads", payloads}, wants: pointer},
		"a letter of a stream":           {letter: &clicks, want: `{"Records":[` + string(clicks.Record) + `]}`},
		"one in a payload":               {letter: &many, args: []string{"-payloads", payloads}, want: `{"Records":[` + string(many.Record) + `]}`},
		"a letter of a table":            {letter: &batch.DeadLetter{Trigger: guard.DynamoDB, ID: "1", Record: json.RawMessage(`{"eventSource":"aws:dynamodb"}`)}, want: `{"Records":[{"eventSource":"aws:dynamodb"}]}`},
		"a letter of Kafka":              {letter: &batch.DeadLetter{Trigger: guard.Kafka, ID: "orders-0:15", Source: "arn:msk", Record: json.RawMessage(`{"topic":"orders","partition":0,"offset":15}`)}, want: `{"eventSource":"aws:kafka","eventSourceArn":"arn:msk","records":{"orders-0":[{"topic":"orders","partition":0,"offset":15}]}}`},
		"a letter of a cluster":          {letter: &batch.DeadLetter{Trigger: guard.Kafka, ID: "orders-0:15", Record: json.RawMessage(`{"topic":"orders","partition":0,"offset":15}`)}, want: `{"eventSource":"SelfManagedKafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":15}]}}`},
		"a letter of a whole event":      {letter: &batch.DeadLetter{Trigger: guard.SNS, ID: "1", Record: json.RawMessage(sampleOf(t, "sns"))}, want: sampleOf(t, "sns")},
		"a letter of a rule's event":     {letter: &batch.DeadLetter{Trigger: guard.EventBridge, ID: "1", Record: json.RawMessage(sampleOf(t, "eventbridge"))}, want: sampleOf(t, "eventbridge")},
		"a letter of a direct call":      {letter: &batch.DeadLetter{Trigger: guard.Unknown, ID: "1", Record: json.RawMessage(`[1]`)}, want: `[1]`},
		"Lambda's dead-letter queue":     {body: `{"order":1}`, attrs: map[string]types.MessageAttributeValue{"RequestID": str("e4b46cbf"), "ErrorCode": {DataType: aws.String("Number"), StringValue: aws.String("200")}, "ErrorMessage": str("no")}, want: `{"order":1}`},
		"Lambda's destination":           {body: asyncRecord, want: `{"order":1}`},
		"Lambda's topic of dead letters": {body: notification(t, `{"order":1}`, `{"RequestID":{"Type":"String","Value":"e4b46cbf"},"ErrorCode":{"Type":"String","Value":"200"}}`), want: `{"order":1}`},
		"Lambda's topic of records":      {body: notification(t, asyncRecord, `{}`), want: `{"order":1}`},
		"what SNS could not deliver":     {body: notification(t, "hello", `{"a":{"Type":"String","Value":"1"}}`), want: delivered},
	} {
		t.Run(name, func(t *testing.T) {
			a := a.of(t)
			dead := awstest.Queue(t, a.queues, "", nil)
			if tt.letter != nil {
				a.sink(dead, []sqsdead.Option{large}, *tt.letter)
			} else {
				a.send(dead, tt.body, tt.attrs, "")
			}
			log := a.mustRun(0, append([]string{"-from", dead, "-function", "booking", "-save", a.saved, "-max", "1"}, tt.args...)...)
			got := a.taken()
			if len(got) != 1 || len(a.bodies(dead)) != 0 {
				t.Fatalf("got %d events, want 1 and an empty queue:\n%s", len(got), log)
			}
			if tt.want != "" {
				equalJSON(t, got[0], tt.want)
				return
			}
			if m := message(t, got[0]); m.Body != tt.wants || m.EventSourceARN != orders || m.Attributes["ApproximateReceiveCount"] != "1" || m.MessageId == "" {
				t.Errorf("got a body of %d bytes of %s, want %d bytes", len(m.Body), m.EventSourceARN, len(tt.wants))
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func quoted(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

// of is the account for a test within another.
func (a *account) of(t *testing.T) *account {
	t.Helper()
	a.t = t
	a.taken()
	return a
}

// What the test kit sends, as Lambda does, runs again: each event that failed, as it was.
func TestWhatLambdaGivesUpRunsAgain(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Queue(t, a.queues, "", nil)
	failing := guardtest.NewInProcess(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return nil, errors.New("broken")
	}), guardtest.Config{})
	into := func(l lambda.Letter) error {
		attributes := map[string]types.MessageAttributeValue{}
		for name, attribute := range l.Attributes {
			attributes[name] = types.MessageAttributeValue{DataType: &attribute.DataType, StringValue: &attribute.String}
		}
		a.send(dead, l.Body, attributes, "")
		return nil
	}
	arn := "arn:aws:sqs:eu-central-1:111122223333:dead"
	for _, cfg := range []async.Config{{DeadLetters: lambda.To(arn, into)}, {OnFailure: lambda.To(arn, into)}} {
		events := async.New(failing, cfg)
		if _, err := events.Invoke([]byte(`{"order":1}`)); err != nil {
			t.Fatal(err)
		}
		if err := events.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.mustRun(0, "-from", dead, "-function", "booking", "-save", a.saved, "-max", "1")
		if got := a.taken(); len(got) != 1 || got[0] != `{"order":1}` || len(a.bodies(dead)) != 0 {
			t.Errorf("got the events %q, want the one that failed", got)
		}
	}
}

func TestWhatCannotRunAgainStays(t *testing.T) {
	a := newAccount(t)
	away := batch.DeadLetter{Trigger: guard.Kinesis, ID: "1", Record: json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}
	large := sqsdead.Large(s3dead.NewPayloads(a.objects, awstest.Bucket(t, a.objects)))
	for name, tt := range map[string]struct {
		body   string
		attrs  map[string]types.MessageAttributeValue
		letter *batch.DeadLetter
		want   string
	}{
		"where a stream's records are": {body: streamRecord, want: "it only says where in the stream the records are"},
		"a record of a success":        {body: strings.Replace(asyncRecord, "RetriesExhausted", "Success", 1), want: "it has succeeded"},
		"a record without its event":   {body: droppedRecord, want: "it has no requestPayload"},
		"a dead event of no JSON":      {body: "hunter2", attrs: map[string]types.MessageAttributeValue{"RequestID": str("r"), "ErrorCode": str("200")}, want: "the body is not an event"},
		"a notification of no event":   {body: notification(t, "hunter2", `{"RequestID":{"Value":"1"},"ErrorCode":{"Value":"200"}}`), want: "the body is not an event"},
		"a message of no source":       {body: "hunter2", want: "send it there with -to"},
		"a payload that is away":       {letter: &away, want: "resolve it first"},
		"a record of no topic":         {letter: &batch.DeadLetter{Trigger: guard.Kafka, ID: "1", Record: json.RawMessage(`{"hunter2":1}`)}, want: "the record is not one of Kafka"},
	} {
		t.Run(name, func(t *testing.T) {
			a := a.of(t)
			dead := awstest.Queue(t, a.queues, "", nil)
			if tt.letter != nil {
				a.sink(dead, []sqsdead.Option{large}, *tt.letter)
			} else {
				a.send(dead, tt.body, tt.attrs, "")
			}
			log := a.mustRun(1, "-from", dead, "-function", "booking", "-save", a.saved)
			if got := a.taken(); len(got) != 0 || len(a.bodies(dead)) != 1 || len(a.files()) == 0 {
				t.Errorf("got the events %q, want none and the message", got)
			}
			if !strings.Contains(log, tt.want) || strings.Contains(log, "hunter2") {
				t.Errorf("got the log\n%s\nwant %q", log, tt.want)
			}
		})
	}
}

func TestTheObjectsOfABucketRunAgain(t *testing.T) {
	a := newAccount(t)
	dead := awstest.Bucket(t, a.objects)
	put := func(key, body string) {
		t.Helper()
		if _, err := a.objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &dead, Key: &key, Body: strings.NewReader(body)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s3dead.New(a.objects, dead, s3dead.Prefix("dead/")).Send(t.Context(), letter(t, "hello", 1)); err != nil {
		t.Fatal(err)
	}
	put("dead/async.json", asyncRecord)
	put("dead/stream.json", streamInBucket)
	put("dead/x.json", "{hunter2")
	put("dead/y.json", `{"hunter2":1}`)
	put("other/z.json", asyncRecord)

	log := a.mustRun(1, "-from", "s3://"+dead+"/dead/", "-function", "booking", "-save", a.saved)
	got := a.taken()
	if len(got) != 3 {
		t.Fatalf("got %d events, want 3:\n%s", len(got), log)
	}
	if m := message(t, got[0]); m.Body != "hello" || m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("got %s", got[0])
	}
	equalJSON(t, got[1], `{"order":1}`)
	equalJSON(t, got[2], `{"Records":[{"eventSource":"aws:kinesis"}]}`)
	left := awstest.Objects(t, a.objects, dead)
	if len(left) != 3 || left["dead/x.json"] == "" || left["dead/y.json"] == "" || left["other/z.json"] == "" || len(a.files()) != 5 {
		t.Errorf("left are %d objects and %d copies, want 3 and 5", len(left), len(a.files()))
	}
	if strings.Contains(log, "hunter2") {
		t.Errorf("the log shows a value:\n%s", log)
	}
}

// A sender to the source chooses body and attributes. A message that SQS has
// moved runs again as what it was: a message.
func TestAMessageThatSQSHasMovedIsNothingElse(t *testing.T) {
	forged := map[string]map[string]types.MessageAttributeValue{
		asyncRecord: nil,
		`{"a":1}`:   {"RequestID": str("r"), "ErrorCode": str("200")},
		`{"b":1}`:   {"lambdarmor.id": str("1"), "lambdarmor.record": str("http_api"), "lambdarmor.source": str("arn:aws:sqs:eu-central-1:111122223333:payroll")},
	}
	for body, attrs := range forged {
		got, err := new(forms).ofMessage(t.Context(), types.Message{
			MessageId: aws.String("m-1"), Body: &body, MessageAttributes: attrs,
			Attributes: map[string]string{"DeadLetterQueueSourceArn": orders, "ApproximateReceiveCount": "9"},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := message(t, string(got.event))
		if m.Body != body || m.EventSourceARN != orders || m.MessageId != "m-1" || m.Attributes["ApproximateReceiveCount"] != "1" || got.what != "sqs" || !got.partial {
			t.Errorf("got %s, want the message of its source", got.event)
		}
		for name := range m.MessageAttributes {
			if strings.HasPrefix(name, "lambdarmor.") {
				t.Errorf("the message has %s", name)
			}
		}
	}
}
