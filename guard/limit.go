package guard

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Limits bound what an event may cost before anything is built from it. A zero
// field is the default; Unlimited, or any negative number, is no limit.
type Limits struct {
	Payload int // bytes of the whole event; 6 MiB
	Body    int // bytes of an HTTP body, after base64; 1 MiB
	Depth   int // levels of nesting in a JSON text; 64
	Nodes   int // values in a JSON text, itself included; 100 000
}

// Unlimited takes a limit away. One event can then take all the memory there
// is: 6 MiB of {"":0}, decoded, are 300 MiB.
const Unlimited = -1

const (
	defaultPayload = 6 << 20
	defaultBody    = 1 << 20
	defaultDepth   = 64
	defaultNodes   = 100_000
)

// effective replaces zeros by defaults and negatives by more than there can be.
func (l Limits) effective() Limits {
	pick := func(n, standard int) int {
		switch {
		case n == 0:
			return standard
		case n < 0:
			return int(^uint(0) >> 1)
		default:
			return n
		}
	}
	return Limits{
		Payload: pick(l.Payload, defaultPayload),
		Body:    pick(l.Body, defaultBody),
		Depth:   pick(l.Depth, defaultDepth),
		Nodes:   pick(l.Nodes, defaultNodes),
	}
}

// Limit refuses an event that is larger, deeper or fuller than l allows, before
// anything is decoded. Inside it the same limits hold for everything that the
// [Event] decodes; without it their defaults do.
//
// The error is [TooLarge] for bytes and [Invalid] for depth and number, and
// names the limit.
func Limit(l Limits) Middleware {
	limits := l.effective()
	return func(next lambda.Handler) lambda.Handler {
		return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := EventOf(ctx, payload)
			ev.setLimits(limits)
			if err := ev.check(limits); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
}

// check judges the event as it came, and an HTTP body within it.
func (e *Event) check(limits Limits) error {
	if err := limits.check(e.raw); err != nil {
		return err
	}
	if !e.Trigger().IsHTTP() {
		return nil
	}
	return checkBody(e.raw, limits.Body)
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

// checkBody judges an HTTP body by its escaped and encoded form, so that one
// that is too large is never unescaped or decoded.
func checkBody(raw []byte, limit int) error {
	var body []byte
	encoded := false
	for name, value := range jsonpeek.Members(raw) {
		switch string(name) {
		case "body":
			body = jsonpeek.Text(value)
		case "isBase64Encoded":
			encoded = string(value) == "true"
		}
	}
	if len(body) <= limit {
		return nil
	}
	size := unescapedLen(body)
	if encoded {
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
