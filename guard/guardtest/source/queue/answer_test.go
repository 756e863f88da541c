package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// An answer is the first one of a function, and ID stands for the message id of the
// body 2. Every later one is a success.
func TestAnswerDecidesWhatComesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		err    error
		report bool
		again  string // the bodies of the second event
		why    string // of a message of the second event, in the ledger
	}{
		"empty":                       {report: true, answer: ``},
		"null":                        {report: true, answer: `null`},
		"an empty object":             {report: true, answer: `{}`},
		"another object":              {report: true, answer: `{"statusCode":200}`},
		"an empty list":               {report: true, answer: `{"batchItemFailures":[]}`},
		"a null list":                 {report: true, answer: `{"batchItemFailures":null}`},
		"one failed":                  {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":"ID"}]}`, again: "2", why: source.Reported},
		"one failed, twice":           {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":"ID"},{"itemIdentifier":"ID"}]}`, again: "2", why: source.Reported},
		"one failed, and more fields": {report: true, answer: `{"a":1,"batchItemFailures":[{"itemIdentifier":"ID","why":"x"}]}`, again: "2", why: source.Reported},

		"no JSON":                 {report: true, answer: `{"batchItemFailures":[`, again: "1 2 3", why: source.BadAnswer},
		"no object":               {report: true, answer: `"done"`, again: "1 2 3", why: source.BadAnswer},
		"a list that is none":     {report: true, answer: `{"batchItemFailures":"ID"}`, again: "1 2 3", why: source.BadAnswer},
		"an item that is none":    {report: true, answer: `{"batchItemFailures":["ID"]}`, again: "1 2 3", why: source.BadAnswer},
		"an empty identifier":     {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":""}]}`, again: "1 2 3", why: source.BadAnswer},
		"a null identifier":       {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":null}]}`, again: "1 2 3", why: source.BadAnswer},
		"an identifier of a kind": {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":7}]}`, again: "1 2 3", why: source.BadAnswer},
		"a bad key":               {report: true, answer: `{"batchItemFailures":[{"ItemIdentifier":"ID"}]}`, again: "1 2 3", why: source.BadAnswer},
		"a null item":             {report: true, answer: `{"batchItemFailures":[null]}`, again: "1 2 3", why: source.BadAnswer},
		"an unknown identifier":   {report: true, answer: `{"batchItemFailures":[{"itemIdentifier":"ID"},{"itemIdentifier":"other"}]}`, again: "1 2 3", why: source.BadAnswer},

		"an error":                          {report: true, err: errors.New("some error"), again: "1 2 3", why: "errorString"},
		"an error, without partial answers": {err: errors.New("some error"), again: "1 2 3", why: "errorString"},

		"one failed, without partial answers": {answer: `{"batchItemFailures":[{"itemIdentifier":"ID"}]}`},
		"no JSON, without partial answers":    {answer: `{`},
	} {
		t.Run(name, func(t *testing.T) {
			fn := &raw{answer: []byte(c.answer), err: c.err}
			q := queue.New(guardtest.NewInProcess(fn, guardtest.Config{Timeout: patient}), queue.Config{
				Clock: source.NewClock(begin), Mapping: queue.Mapping{ReportBatchItemFailures: c.report, MaximumConcurrency: 1},
			})
			ids := send(t, q, "1", "2", "3")
			drain(t, q)
			check(t, q)
			want := []string{"1 2 3"}
			if c.again != "" {
				want = append(want, c.again)
			}
			same(t, "events", fn.bodies, want)
			entry, _ := q.Ledger().Entry(ids[1])
			same(t, "failure", entry.Deliveries[0].Failure, c.why)
		})
	}
}

// raw answers its first event with bytes.
type raw struct {
	answer []byte
	err    error
	bodies []string
}

var _ lambda.Handler = (*raw)(nil)

func (f *raw) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var bodies []string
	answer := string(f.answer)
	for _, r := range event.Records {
		bodies = append(bodies, r.Body)
		if r.Body == "2" {
			answer = strings.ReplaceAll(answer, "ID", r.MessageId)
		}
	}
	f.bodies = append(f.bodies, strings.Join(bodies, " "))
	if len(f.bodies) > 1 {
		return nil, nil
	}
	return []byte(answer), f.err
}
