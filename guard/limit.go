package guard

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Limits bound what an event may cost before anything is built from it. A zero
// field is the default; Unlimited, or any negative number, is no limit.
//
// Events that carry records, of a queue, a stream or a broker, may be deeper
// and fuller by default: a full batch of SQS has 10 000 messages, and an item of
// DynamoDB nests 32 levels in two each.
type Limits struct {
	Payload int // bytes of the whole event; 6 MiB
	Body    int // bytes of an HTTP body, after base64; 1 MiB
	Depth   int // levels of nesting in a JSON text; 64, of records 128
	Nodes   int // values in a JSON text, itself included; 100 000, of records 1 000 000
}

// Unlimited takes a limit away. One event can then take all the memory there
// is: 6 MiB of {"":0}, decoded, are 300 MiB.
const Unlimited = -1

func defaultLimits(t Trigger) Limits {
	limits := Limits{Payload: 6 << 20, Body: 1 << 20, Depth: 64, Nodes: 100_000}
	switch t {
	case SQS, Kinesis, DynamoDB, DocumentDB, Firehose, Kafka, MQ:
		limits.Depth, limits.Nodes = 128, 1_000_000
	}
	return limits
}

// effective replaces zeros by the defaults for t, and negatives by more than
// there can be.
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

// Limit refuses an event that is larger, deeper or fuller than l allows, before
// anything is decoded. Inside it the same limits hold for everything that the
// [Event] decodes; without it their defaults do.
//
// A body that begins like a JSON object or array is judged as one, whatever its
// content type. The error is [TooLarge] for bytes and [Invalid] for depth and
// number, and names the limit.
func Limit(l Limits) Middleware {
	return named("guard.Limit", func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := EventOf(ctx, payload)
			limits := l.effective(ev.Trigger())
			ev.setLimits(limits)
			if err := ev.check(limits); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

// check judges the event as it came, and an HTTP body within it.
func (e *Event) check(limits Limits) error {
	if err := limits.check(e.raw); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.walk()
	if !r.Trigger().IsHTTP() {
		return nil
	}
	if err := checkBody(r, limits.Body); err != nil {
		return err
	}
	return e.checkBodyText(r, limits)
}

// check judges a text by its size alone. It may be of the payload or the body,
// which is never the larger of the two.
func (l Limits) check(text []byte) error {
	if len(text) > l.Payload {
		return tooLarge("payload", "event", l.Payload)
	}
	if err := strictjson.Check(text, l.Depth, l.Nodes); err != nil {
		return refuse(err)
	}
	return nil
}

// checkBody judges the size of an HTTP body by its escaped and encoded form, so
// that one that is too large is never unescaped or decoded.
func checkBody(r *request.Request, limit int) error {
	quoted, isBase64 := r.RawBody()
	if len(quoted) <= limit {
		return nil
	}
	size := unescapedLen(quoted) - len(`""`)
	if isBase64 {
		size = size / 4 * 3
		if size > 2 {
			size -= 2 // the padding, if there is any
		}
	}
	if size > limit {
		return tooLarge("body", "body", limit)
	}
	return nil
}

// checkBodyText judges depth and number in a body that is a JSON text. The
// escaped form bounds both; only a body over the bound, or one that hides its
// brackets from it, is unescaped.
func (e *Event) checkBodyText(r *request.Request, limits Limits) error {
	quoted, isBase64 := r.RawBody()
	hidden := isBase64 || bytes.Contains(quoted, []byte(`\u`))
	if !hidden && strictjson.Within(quoted, limits.Depth, limits.Nodes) {
		return nil
	}
	body, err := e.readBody()
	if err != nil {
		return err
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil
	}
	if err := strictjson.Check(body, limits.Depth, limits.Nodes); err != nil {
		return refuse(err)
	}
	return nil
}

// unescapedLen bounds from below how many bytes the text of a JSON string
// stands for: an escape of two bytes is one, one of six at least one.
func unescapedLen(text []byte) int {
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == 'u' {
				i += 4
			}
		}
		n++
	}
	return n
}

func tooLarge(code, what string, limit int) *Error {
	return &Error{Kind: TooLarge, Code: code + "_too_large", Detail: fmt.Sprintf("The %s has more than %d bytes.", what, limit)}
}
