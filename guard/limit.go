package guard

import (
	"context"
	"fmt"
	"math"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Limits bound the size of an event before it is decoded. Zero means the default. A
// negative number means no limit.
//
// Events with records, of a queue, a stream or a broker, have larger defaults for
// Depth and Nodes. A full batch of SQS has 10 000 messages, and an item of DynamoDB
// nests 32 levels of two each.
type Limits struct {
	Payload int // bytes of the whole event; 6 MiB
	Body    int // bytes of an HTTP body, after base64; 1 MiB
	Depth   int // levels of nesting in a JSON text; 64; 128 for events with records
	Nodes   int // values in a JSON text, itself included; 100 000; 1 000 000 for events with records
}

// Unlimited turns a limit off. One event can then take all memory: 6 MiB of {"":0}
// are 300 MiB when decoded.
const Unlimited = -1

func defaultLimits(t Trigger) Limits {
	limits := Limits{Payload: 6 << 20, Body: 1 << 20, Depth: 64, Nodes: 100_000}
	switch t {
	case SQS, Kinesis, DynamoDB, DocumentDB, Firehose, Kafka, MQ:
		limits.Depth, limits.Nodes = 128, 1_000_000
	}
	return limits
}

// effective replaces zeros by the defaults for t, and negative numbers by the
// largest.
func (l Limits) effective(t Trigger) Limits {
	standard := defaultLimits(t)
	pick := func(n, standard int) int {
		switch {
		case n == 0:
			return standard
		case n < 0:
			return math.MaxInt
		default:
			return n
		}
	}
	return Limits{
		Payload: pick(l.Payload, standard.Payload),
		Body:    pick(l.Body, standard.Body),
		Depth:   pick(l.Depth, standard.Depth),
		Nodes:   pick(l.Nodes, standard.Nodes),
	}
}

// Limit refuses an event that exceeds l, before it is decoded. Inside Limit the
// same limits hold for all that the [Event] decodes; without Limit, the defaults
// hold.
//
// A body is checked as JSON, as far as it is JSON, for any content type. The error
// is of kind [TooLarge] for bytes and [Invalid] for depth and number, and names the
// limit.
func Limit(l Limits) Middleware {
	return named("guard.Limit", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := EventOf(ctx, payload)
			ev.setLimits(l.effective(ev.Trigger()))
			if err := ev.checkAll(); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

// checkAll checks the event, and the HTTP body in it.
func (e *Event) checkAll() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	limits := e.currentLimits()
	if err := limits.check(e.raw); err != nil {
		return err
	}
	if !e.walk().Trigger().IsHTTP() {
		return nil
	}
	body, err := e.readBody()
	if err != nil {
		return err
	}
	return limits.check(body)
}

// check checks a text: the payload, or the body, which is never larger than the
// payload.
func (l Limits) check(text []byte) error {
	if len(text) > l.Payload {
		return tooLarge("payload", "event", l.Payload)
	}
	if err := strictjson.Check(text, l.Depth, l.Nodes); err != nil {
		return refuse(err)
	}
	return nil
}

func tooLarge(code, what string, limit int) *Error {
	return &Error{Kind: TooLarge, Code: code + "_too_large", Detail: fmt.Sprintf("The %s has more than %d bytes.", what, limit)}
}
