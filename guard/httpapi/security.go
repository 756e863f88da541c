package httpapi

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// SecurityOption changes [SecurityHeaders].
type SecurityOption func(*securityHeaders)

// SetSecurityHeader sets a header of the layer's to another value, or adds one.
func SetSecurityHeader(name, value string) SecurityOption {
	f := answer.Field{Name: strings.ToLower(name), Value: value}
	if !f.Valid() {
		panic("httpapi: invalid security header " + name)
	}
	return func(s *securityHeaders) {
		s.drop(f.Name)
		s.fields = append(s.fields, f)
	}
}

// OmitSecurityHeader leaves a header of the layer's out.
func OmitSecurityHeader(name string) SecurityOption {
	return func(s *securityHeaders) { s.drop(strings.ToLower(name)) }
}

// SecurityHeaders adds to every response, problems included, what a browser
// needs to be told and a handler has not said itself:
//
//	Strict-Transport-Security: max-age=63072000
//	X-Content-Type-Options: nosniff
//	Referrer-Policy: no-referrer
//	Content-Security-Policy: default-src 'none'; frame-ancestors 'none'
//	Cache-Control: no-store
//
// The policy is for what is not a page of its own: it is left out of text/html.
// Cache-Control is added where the request carries credentials, a cookie,
// Authorization, or what an authorizer of the gateway's accepted, where the
// response sets a cookie, and where the status is an error.
//
// The answers to preflights have the headers where this layer is outside [CORS].
//
// The order of the list is that of the OWASP REST security cheat sheet.
func SecurityHeaders(opts ...SecurityOption) guard.Middleware {
	s := &securityHeaders{fields: []answer.Field{
		{Name: "strict-transport-security", Value: "max-age=63072000"},
		{Name: "x-content-type-options", Value: "nosniff"},
		{Name: "referrer-policy", Value: "no-referrer"},
		{Name: contentPolicy, Value: "default-src 'none'; frame-ancestors 'none'"},
		{Name: cacheControl, Value: "no-store"},
	}}
	for _, opt := range opts {
		opt(s)
	}
	return decorating("httpapi.SecurityHeaders", s)
}

const (
	contentPolicy = "content-security-policy"
	cacheControl  = "cache-control"
	html          = "text/html"
)

type securityHeaders struct{ fields []answer.Field }

func (s *securityHeaders) drop(name string) {
	kept := s.fields[:0]
	for _, f := range s.fields {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	s.fields = kept
}

func (s *securityHeaders) decorate(req *Request, res *answer.Answer) {
	for _, f := range s.fields {
		if f.Name == contentPolicy && isPage(res) || f.Name == cacheControl && !private(req, res) {
			continue
		}
		res.SetDefault(f.Name, f.Value)
	}
}

func isPage(res *answer.Answer) bool {
	media, _ := res.Get("content-type")
	return len(media) >= len(html) && strings.EqualFold(media[:len(html)], html)
}

// private reports whether a response is for one client alone.
func private(req *Request, res *answer.Answer) bool {
	return res.Status >= 400 || len(res.Cookies) > 0 || req.in.HasCredentials()
}

// decorating makes a layer of a decorator. It adds itself to the exchange, so
// that whoever encodes the response, further in or further out, has it pass;
// an answer that was encoded elsewhere is opened for it, but for one to a
// message of a WebSocket, which has no headers.
func decorating(name string, d decorator) guard.Middleware {
	return layer.Named(name, func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			x.layers.add(d)
			out, err := next.Invoke(ctx, payload)
			if trigger := x.event.Trigger(); err != nil || !answersHTTP(trigger) || trigger == guard.WebSocket {
				return out, err
			}
			return x.finish(out)
		})
	})
}
