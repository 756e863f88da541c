package httpapi

import (
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// SecurityOption changes [SecurityHeaders].
type SecurityOption struct {
	field answer.Field
	omit  bool
}

// SetSecurityHeader sets a header of [SecurityHeaders] to another value, or adds
// one. It panics if name or value is malformed.
func SetSecurityHeader(name, value string) SecurityOption {
	f := answer.Field{Name: strings.ToLower(name), Value: value}
	if !f.Valid() {
		panic("httpapi: invalid security header " + name)
	}
	return SecurityOption{field: f}
}

// OmitSecurityHeader leaves a header of [SecurityHeaders] out.
func OmitSecurityHeader(name string) SecurityOption {
	return SecurityOption{field: answer.Field{Name: strings.ToLower(name)}, omit: true}
}

// SecurityHeaders adds the headers below to every response, problems included. It
// does not replace a header that the handler has set.
//
//	Strict-Transport-Security: max-age=63072000
//	X-Content-Type-Options: nosniff
//	Referrer-Policy: no-referrer
//	Content-Security-Policy: default-src 'none'; frame-ancestors 'none'
//	Cache-Control: no-store
//
// The policy is left out of text/html, as it would break a page.
// Cache-Control is added if the request carries credentials: a cookie,
// Authorization, or what an authorizer of the gateway accepted. It is also added if
// the response sets a cookie, and if the status is an error.
//
// The answers to preflights have the headers if this layer is outside [CORS].
//
// The list follows the OWASP REST security cheat sheet.
func SecurityHeaders(opts ...SecurityOption) guard.Middleware {
	s := &securityHeaders{fields: []answer.Field{
		{Name: "strict-transport-security", Value: "max-age=63072000"},
		{Name: "x-content-type-options", Value: "nosniff"},
		{Name: "referrer-policy", Value: "no-referrer"},
		{Name: contentPolicy, Value: "default-src 'none'; frame-ancestors 'none'"},
		{Name: cacheControl, Value: "no-store"},
	}}
	for _, opt := range opts {
		s.fields = slices.DeleteFunc(s.fields, func(f answer.Field) bool { return f.Name == opt.field.Name })
		if !opt.omit {
			s.fields = append(s.fields, opt.field)
		}
	}
	return decorating("httpapi.SecurityHeaders", s)
}

const (
	contentPolicy = "content-security-policy"
	cacheControl  = "cache-control"
	html          = "text/html"
)

type securityHeaders struct{ fields []answer.Field }

func (s *securityHeaders) decorate(req *Request, res *answer.Answer) {
	for _, f := range s.fields {
		if f.Name == contentPolicy && isPage(res) || f.Name == cacheControl && !isPrivate(req, res) {
			continue
		}
		res.SetDefault(f.Name, f.Value)
	}
}

func isPage(res *answer.Answer) bool {
	media, _ := res.Get("content-type")
	return len(media) >= len(html) && strings.EqualFold(media[:len(html)], html)
}

// isPrivate reports whether a response is for one client alone.
func isPrivate(req *Request, res *answer.Answer) bool {
	return res.Status >= 400 || len(res.Cookies) > 0 || req.in.HasCredentials()
}
