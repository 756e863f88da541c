package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// ProblemOption changes [Problems].
type ProblemOption func(*problems)

// TypeBase makes the type of a problem a link to its documentation: base
// followed by the code. Without it the type is about:blank.
func TypeBase(base string) ProblemOption {
	return func(p *problems) { p.base = base }
}

// Challenge sets the WWW-Authenticate of a 401 that brings none of its own;
// the default is Bearer (RFC 9110, section 11.6.1).
func Challenge(challenge string) ProblemOption {
	if challenge == "" || !answer.ValidValue(challenge) {
		panic("httpapi: invalid challenge " + strconv.Quote(challenge))
	}
	return func(p *problems) { p.challenge = challenge }
}

type problems struct {
	base      string
	challenge string
}

// Problems makes a response of every error that comes from inside it, early
// returns, panics and timeouts included: application/problem+json (RFC 9457)
// with type, title, status, detail, instance, code, and errors, a pointer and
// a detail for each place of the input that is wrong. The instance is the
// request id; the cause is for the log and never in it.
//
// An error of an event that is no HTTP request leaves as [guard.Errors] has
// it, as a queue would take a response for a success.
func Problems(opts ...ProblemOption) guard.Middleware {
	p := &problems{challenge: "Bearer"}
	for _, opt := range opts {
		opt(p)
	}
	return layer.Named("httpapi.Problems", func(next lambda.Handler) lambda.Handler {
		plain := guard.Errors()(guard.HandlerFunc(next.Invoke)) // not a layer of the chain
		render := layer.Renderer(p.render)
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			if !answersHTTP(x.event.Trigger()) {
				return plain.Invoke(ctx, payload)
			}
			out, err := next.Invoke(layer.WithRenderer(ctx, render), payload)
			if err == nil {
				return out, nil
			}
			layer.SetError(ctx, err)
			return p.render(ctx, err), nil
		})
	})
}

// answersHTTP reports whether the answer to an event is an HTTP response, also
// where the event is not read as a request.
func answersHTTP(t guard.Trigger) bool {
	return t.IsHTTP() || t == guard.ALB || t == guard.WebSocket
}

// render encodes err. An error that cannot be encoded is a 500 that can.
func (p *problems) render(ctx context.Context, err error) []byte {
	x, e := exchangeOf(ctx), guard.Public(err)
	out, bad := x.answer(p.response(ctx, err))
	if bad != nil { // a text as long as the platform's limit
		out, _ = x.answer(p.response(ctx, &guard.Error{Kind: e.Kind}))
	}
	return out
}

func (p *problems) response(ctx context.Context, err error) *answer.Answer {
	e := guard.Public(err)
	res := answer.New(e.Kind.Status())
	res.Set("content-type", "application/problem+json")
	if e.RetryAfter > 0 {
		seconds := int64(math.Ceil(e.RetryAfter.Seconds()))
		res.Set("retry-after", strconv.FormatInt(seconds, 10))
	}
	for h := (*headerError)(nil); errors.As(err, &h); err = h.error {
		switch f := (answer.Field{Name: strings.ToLower(h.name), Value: h.value}); {
		case !f.Valid() || answer.Unsendable(f.Name):
		case f.Name == "set-cookie":
			res.Cookies = append(res.Cookies, f.Value)
		default:
			res.SetDefault(f.Name, f.Value)
		}
	}
	if res.Status == http.StatusUnauthorized {
		res.SetDefault("www-authenticate", p.challenge)
	}
	res.Body = p.body(ctx, e)
	return res
}

func (p *problems) body(ctx context.Context, e *guard.Error) []byte {
	out := append(make([]byte, 0, 256), `{"type":`...)
	if p.base == "" {
		out = append(out, `"about:blank"`...)
	} else {
		out = answer.Quote(out, valid(p.base+e.Code))
	}
	out = append(out, `,"title":`...)
	out = answer.Quote(out, e.Kind.Title())
	out = append(out, `,"status":`...)
	out = strconv.AppendInt(out, int64(e.Kind.Status()), 10)
	if e.Detail != "" {
		out = append(out, `,"detail":`...)
		out = answer.Quote(out, valid(e.Detail))
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		out = append(out, `,"instance":`...)
		out = answer.Quote(out, valid(lc.AwsRequestID))
	}
	out = append(out, `,"code":`...)
	out = answer.Quote(out, valid(e.Code))
	for i, v := range e.Violations {
		if i == 0 {
			out = append(out, `,"errors":[`...)
		} else {
			out = append(out, ',')
		}
		out = append(out, `{"pointer":`...)
		out = answer.Quote(out, valid(v.Pointer))
		out = append(out, `,"detail":`...)
		out = answer.Quote(out, valid(v.Detail))
		out = append(out, '}')
	}
	if len(e.Violations) > 0 {
		out = append(out, ']')
	}
	return append(out, '}')
}

// valid makes sure of UTF-8 in what a handler wrote.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
