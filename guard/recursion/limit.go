package recursion

import (
	"bytes"
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Limit refuses an event whose chain has had n invocations already, and counts this one:
// see [Hops]. The error is of kind Unprocessable with code loop. A counter that cannot
// be read is Invalid, with code hops_malformed. Neither can ever succeed, so a sink for
// dead letters takes the event. The record of the invocation has the number as hops.
//
// Of an event with several records the largest counter counts, and one record too far
// refuses all. Use [Records] in a batch.
//
// List Limit after the layers that log and answer. Limit panics if n is not from 1 to
// 9999. Lambda's own detector stops after about 16.
func Limit(n int) guard.Middleware {
	checkLimit("Limit", n)
	return layer.Named("recursion.Limit", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			var c counter
			if err := c.event(guard.EventOf(ctx, payload)); err != nil {
				return nil, err
			}
			inner, err := c.enter(ctx, n)
			if err != nil {
				return nil, err
			}
			return next.Invoke(inner, payload)
		})
	})
}

// event adds the counters of an event.
func (c *counter) event(ev *guard.Event) error {
	t := ev.Trigger()
	if t.IsHTTP() || t == guard.WebSocket || t == guard.Authorizer || t == guard.AppSync {
		r, err := ev.Request()
		if err != nil {
			return err
		}
		c.request(r)
		return nil
	}
	// Most events have no counter. Names in JSON may be escaped, but no Carry does that.
	// The data of Kinesis is in base64.
	if t != guard.Kinesis && !bytes.Contains(ev.Raw(), []byte(Member)) && !bytes.Contains(ev.Raw(), []byte(Attribute)) {
		return nil
	}
	switch t {
	case guard.SQS:
		var e events.SQSEvent
		return each(ev, &e, &e.Records, c.sqs)
	case guard.SNS:
		var e events.SNSEvent
		return each(ev, &e, &e.Records, c.sns)
	case guard.Kinesis:
		var e events.KinesisEvent
		return each(ev, &e, &e.Records, c.kinesis)
	case guard.DynamoDB:
		var e events.DynamoDBEvent
		return each(ev, &e, &e.Records, c.dynamoDB)
	case guard.Kafka:
		var e events.KafkaEvent
		if err := ev.Decode(&e); err != nil {
			return err
		}
		for _, records := range e.Records {
			for i := range records {
				c.kafka(&records[i])
			}
		}
	default:
		c.document(ev.Raw(), deepest)
	}
	return nil
}

func each[R any](ev *guard.Event, into any, records *[]R, add func(*R)) error {
	if err := ev.Decode(into); err != nil {
		return err
	}
	for i := range *records {
		add(&(*records)[i])
	}
	return nil
}
