package httpapi

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// ProblemOption changes [Problems].
type ProblemOption struct{ typeBase, challenge string }

// TypeBase sets the type of a problem to a link to its documentation: base
// followed by the code. Without it the type is about:blank.
func TypeBase(base string) ProblemOption { return ProblemOption{typeBase: base} }

// Challenge sets the WWW-Authenticate of a 401 whose error has none of its own; the
// default is Bearer (RFC 9110, section 11.6.1). It panics if challenge is no value
// of a header.
func Challenge(challenge string) ProblemOption {
	if challenge == "" || !answer.ValidValue(challenge) {
		panic("httpapi: invalid challenge " + strconv.Quote(challenge))
	}
	return ProblemOption{challenge: challenge}
}

type problems struct{ typeBase, challenge string }

// Problems turns every error from the inner layers into a response, panics and
// timeouts included. The body is application/problem+json (RFC 9457) with type,
// title, status, detail, instance, code, and errors: a pointer and a detail for
// each wrong place of the input. The instance is the request id. The cause of the
// error is for the log and never in the response.
//
// For an event that is no HTTP request, the error is returned as by [guard.Errors]:
// a queue would take a response for a success.
func Problems(opts ...ProblemOption) guard.Middleware {
	p := &problems{challenge: "Bearer"}
	for _, opt := range opts {
		p.typeBase = cmp.Or(opt.typeBase, p.typeBase)
		p.challenge = cmp.Or(opt.challenge, p.challenge)
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

// answersHTTP reports whether the answer to an event is an HTTP response, also if
// the event is not read as a request.
func answersHTTP(t guard.Trigger) bool {
	return t.IsHTTP() || t == guard.ALB || t == guard.WebSocket
}

// WithHeader returns an error whose response has a header, such as
// WWW-Authenticate for a 401 of a certain scheme. It wraps err; nil stays nil.
func WithHeader(err error, name, value string) error {
	if err == nil {
		return nil
	}
	return &headerError{error: err, name: name, value: value}
}

type headerError struct {
	error
	name, value string
}

func (e *headerError) Unwrap() error { return e.error }

// render encodes err. An error that cannot be encoded becomes one that can.
func (p *problems) render(ctx context.Context, err error) []byte {
	x := exchangeOf(ctx)
	out, bad := x.answer(p.response(ctx, err))
	if bad != nil { // its text is as long as the platform's limit
		out, _ = x.answer(p.response(ctx, &guard.Error{Kind: guard.Public(err).Kind}))
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

// problem is the JSON of a problem (RFC 9457).
type problem struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail,omitzero"`
	Instance string      `json:"instance,omitzero"`
	Code     string      `json:"code"`
	Errors   []violation `json:"errors,omitzero"`
}

type violation struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func (p *problems) body(ctx context.Context, e *guard.Error) []byte {
	body := problem{Type: "about:blank", Title: e.Kind.Title(), Status: e.Kind.Status(), Detail: e.Detail, Code: e.Code}
	if p.typeBase != "" {
		body.Type = p.typeBase + e.Code
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		body.Instance = lc.AwsRequestID
	}
	body.Errors = slices.Grow(body.Errors, len(e.Violations))
	for _, v := range e.Violations {
		body.Errors = append(body.Errors, violation{v.Pointer, v.Detail})
	}
	out, _ := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // the texts are the handler's
	return out
}
