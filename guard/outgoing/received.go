package outgoing

import (
	"bytes"
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Received returns the correlation id that came with an event, for guard.Correlate:
//
//	guard.Log(logger, guard.Correlate(outgoing.Received))
//
// It is that of the header X-Correlation-Id, or of the message attribute correlationId,
// which packages sqshops and snshops set. If the messages of an event have several, it
// returns "": see [Records]. The id is the sender's word, good to find records by and for
// no decision.
func Received(_ context.Context, ev *guard.Event) string {
	switch t := ev.Trigger(); {
	case t.IsHTTP():
		if r, err := ev.Request(); err == nil && r.HeaderLines(CorrelationHeader) == 1 {
			return r.Header(CorrelationHeader)
		}
	case !bytes.Contains(ev.Raw(), []byte(invocation.CorrelationAttribute)):
	case t == guard.SQS:
		var e events.SQSEvent
		if ev.Decode(&e) == nil {
			return common(e.Records, ofMessage)
		}
	case t == guard.SNS:
		var e events.SNSEvent
		if ev.Decode(&e) == nil {
			return common(e.Records, ofNotification)
		}
	}
	return ""
}

// common returns the id that all records have, "" if there is none.
func common[R any](records []R, of func(R) string) string {
	id := ""
	for i, r := range records {
		next := of(r)
		if i > 0 && next != id {
			return ""
		}
		id = next
	}
	return id
}

func ofMessage(m events.SQSMessage) string {
	if v := m.MessageAttributes[invocation.CorrelationAttribute].StringValue; v != nil {
		return *v
	}
	return ""
}

func ofNotification(r events.SNSEventRecord) string {
	fields, _ := r.SNS.MessageAttributes[invocation.CorrelationAttribute].(map[string]any)
	value, _ := fields["Value"].(string)
	return value
}

// Record is a record of a batch that has attributes of its own.
type Record interface {
	events.SQSMessage | events.KafkaRecord
}

// Records sets the correlation id of each record of a batch, a layer for batch.Chain:
// the log records of its context have it, and what is sent in that context has it too.
// It is that of the message attribute or the Kafka header correlationId. A record
// without one, or with one that guard.Correlate would ignore, has that of the
// invocation.
//
// A message that came through a topic of SNS has its attributes only with raw delivery.
func Records[R Record]() func(next func(context.Context, R) error) func(context.Context, R) error {
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		return func(ctx context.Context, record R) error {
			id := ""
			switch r := any(record).(type) {
			case events.SQSMessage:
				id = ofMessage(r)
			case events.KafkaRecord:
				for _, header := range r.Headers {
					if value, ok := header[invocation.CorrelationAttribute]; ok {
						id = string(value)
					}
				}
			}
			if inv := invocation.Of(ctx); inv != nil && id != "" && invocation.FitForHeader(id) {
				inv.Update(func(f *invocation.Facts) { f.Correlation = id })
			}
			return next(ctx, record)
		}
	}
}
