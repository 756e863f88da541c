package httpapi

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// SecurityOption changes [SecurityHeaders].
type SecurityOption func(*securityHeaders)

// SetSecurityHeader sets a header of the layer's to another value, or adds one.
func SetSecurityHeader(name, value string) SecurityOption {
	f := field{strings.ToLower(name), value}
	if !f.valid() {
		panic("httpapi: invalid security header " + name)
	}
	return func(s *securityHeaders) {
		s.drop(f.name)
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
	s := &securityHeaders{fields: []field{
		{"strict-transport-security", "max-age=63072000"},
		{"x-content-type-options", "nosniff"},
		{"referrer-policy", "no-referrer"},
		{contentPolicy, "default-src 'none'; frame-ancestors 'none'"},
		{cacheControl, "no-store"},
	}}
	for _, opt := range opts {
		opt(s)
	}
	return decorating(s)
}

const (
	contentPolicy = "content-security-policy"
	cacheControl  = "cache-control"
	html          = "text/html"
)

type securityHeaders struct{ fields []field }

func (s *securityHeaders) drop(name string) {
	kept := s.fields[:0]
	for _, f := range s.fields {
		if f.name != name {
			kept = append(kept, f)
		}
	}
	s.fields = kept
}

func (s *securityHeaders) decorate(req *Request, res *response) {
	for _, f := range s.fields {
		if f.name == contentPolicy && isPage(res) || f.name == cacheControl && !private(req, res) {
			continue
		}
		res.setDefault(f.name, f.value)
	}
}

func isPage(res *response) bool {
	media, _ := res.get("content-type")
	return len(media) >= len(html) && strings.EqualFold(media[:len(html)], html)
}

// private reports whether a response is for one client alone.
func private(req *Request, res *response) bool {
	return res.status >= 400 || len(res.cookies) > 0 || req.identified()
}

// decorating makes a layer of a decorator. It adds itself to the exchange, so
// that whoever encodes the response, further in or further out, has it pass;
// an answer that was encoded elsewhere is opened for it, but for one to a
// message of a WebSocket, which has no headers.
func decorating(d decorator) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			x.layers.add(d)
			out, err := next.Invoke(ctx, payload)
			if trigger := x.event.Trigger(); err != nil || !answersHTTP(trigger) || trigger == guard.WebSocket {
				return out, err
			}
			return x.finish(out)
		})
	}
}
