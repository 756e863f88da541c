package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// message is a message of a test: its body, and its group if the queue is FIFO.
type message struct{ body, group string }

// queueEvent is an event of messages with the ids m0, m1 and so on.
func queueEvent(arn string, messages ...message) []byte {
	var e events.SQSEvent
	e.Records = []events.SQSMessage{}
	for i, m := range messages {
		attributes := map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1584040590390", "ApproximateFirstReceiveTimestamp": "1584040590401"}
		if m.group != "" {
			attributes["MessageGroupId"] = m.group
		}
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: fmt.Sprint("m", i), Body: m.body, EventSource: "aws:sqs", EventSourceARN: arn, Attributes: attributes,
		})
	}
	text, _ := json.Marshal(e)
	return text
}

const (
	queueARN = "arn:aws:sqs:us-east-1:123456789012:orders"
	fifoARN  = queueARN + ".fifo"
)

// bodies is a standard queue's event.
func bodies(texts ...string) []byte {
	var all []message
	for _, text := range texts {
		all = append(all, message{body: text})
	}
	return queueEvent(queueARN, all...)
}

// journal notes what ran, from several goroutines.
type journal struct {
	mu  sync.Mutex
	ran []string
}

func (j *journal) add(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ran = append(j.ran, text)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.ran, " ")
}

// handle handles a message by its body: "ok", or what fails in which way.
func (j *journal) handle(_ context.Context, m events.SQSMessage) error {
	j.add(m.MessageId)
	return outcome(m.Body)
}

func outcome(body string) error {
	switch body {
	case "fail":
		return guard.Reason("no database")
	case "poison":
		return guard.Errorf(guard.Invalid, "bad_order", "The order is wrong.")
	case "panic":
		panic("at the disco")
	default:
		return nil
	}
}

// failures returns the identifiers in an answer, joined; "none" if the list is empty.
func failures(t *testing.T, out []byte) string {
	t.Helper()
	var answer struct {
		Failures []struct {
			ID json.RawMessage `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Failures == nil {
		t.Fatalf("got %s, want a list of failures: %v", out, err)
	}
	var ids []string
	for _, f := range answer.Failures {
		ids = append(ids, strings.Trim(string(f.ID), `"`))
	}
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, " ")
}

func invoke(t *testing.T, h lambda.Handler, payload []byte) string {
	t.Helper()
	out, err := h.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("got %v, want an answer", err)
	}
	return failures(t, out)
}

// sink is a sink of a test.
type sink struct {
	mu      sync.Mutex
	letters []batch.DeadLetter
	err     error
}

func (s *sink) Send(_ context.Context, l batch.DeadLetter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.letters = append(s.letters, l)
	return nil
}

func (s *sink) ids() string {
	var ids []string
	for _, l := range s.letters {
		ids = append(ids, l.ID+":"+l.Code)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// kinesis is an event of records, each "key=outcome", with the sequence numbers 1, 2
// and so on.
func kinesis(records ...string) []byte {
	all := make([]any, len(records))
	for i, r := range records {
		key, body, _ := strings.Cut(r, "=")
		all[i] = map[string]any{
			"eventID": fmt.Sprint("shardId-000000000006:", i+1), "eventSource": "aws:kinesis", "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
			"kinesis": map[string]any{"partitionKey": key, "sequenceNumber": fmt.Sprint(i + 1), "data": []byte(body), "approximateArrivalTimestamp": 1584040590.39},
		}
	}
	text, _ := json.Marshal(map[string]any{"Records": all})
	return text
}
