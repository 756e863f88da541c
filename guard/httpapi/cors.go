package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// CORSConfig lists the pages of other sites that may call the API and read its
// answers. The zero value allows none.
type CORSConfig struct {
	// Origins are allowed exactly as written, such as "https://shop.example". "*"
	// allows every page, and cannot be combined with Credentials.
	Origins []string
	// Methods are allowed beside GET, HEAD and POST, such as "PUT".
	Methods []string
	// Headers of a request are allowed beside the safelisted ones, such as
	// "Idempotency-Key", and "Content-Type" for JSON.
	Headers []string
	// Expose lists the headers of a response that a page may read beside the
	// safelisted ones, such as "Location".
	Expose []string
	// Credentials allows cookies and HTTP authentication.
	Credentials bool
	// MaxAge is how long a browser may keep the answer to a preflight. With 0 it is
	// not sent, and browsers keep the answer for seconds.
	MaxAge time.Duration
}

// CORS answers preflights before the handler and adds the CORS headers to every
// response, problems included (Fetch standard, section 3.2). A request from an
// origin that is not allowed gets no CORS header, so its browser keeps the answer
// from the page. Put CORS outside every layer that may refuse a request. A
// gateway's authorizer, or an API without a route for OPTIONS, refuses preflights
// before your function. CORS panics if a name or an origin is malformed, and if
// Credentials are allowed for every origin.
//
// CORS protects only users of browsers: it is no access control.
func CORS(config CORSConfig) guard.Middleware {
	c := newCORS(config)
	return layer.Named("httpapi.CORS", func(next lambda.Handler) lambda.Handler {
		decorated := decorating("httpapi.CORS", c)(next)
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			if x.event.Trigger().IsHTTP() {
				if req := x.asked(); isPreflight(req) {
					return x.answer(c.preflight(req))
				}
			}
			return decorated.Invoke(ctx, payload)
		})
	})
}

type cors struct {
	origins                          []string
	any, credentials                 bool
	methods, headers, expose, maxAge string // as they are sent
}

func newCORS(config CORSConfig) *cors {
	c := &cors{
		origins:     slices.Clone(config.Origins),
		any:         slices.Contains(config.Origins, "*"),
		methods:     list(append([]string{"GET", "HEAD", "POST"}, config.Methods...)),
		headers:     list(config.Headers),
		expose:      list(config.Expose),
		credentials: config.Credentials,
	}
	if c.any && c.credentials {
		panic("httpapi: CORS with credentials for every origin")
	}
	for _, origin := range config.Origins {
		if origin != "*" && !isOrigin(origin) {
			panic("httpapi: CORS origin " + strconv.Quote(origin) + " is not of the form https://host")
		}
	}
	if config.MaxAge > 0 {
		c.maxAge = strconv.FormatInt(int64(config.MaxAge.Seconds()), 10)
	}
	return c
}

// isOrigin reports whether s is an origin as a browser sends it. It is false for
// "null", the origin of a sandboxed page of any site.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && u.Scheme+"://"+u.Host == s && strings.ToLower(s) == s && !strings.Contains(s, "*")
}

func list(names []string) string {
	for _, name := range names {
		if !answer.ValidName(name) {
			panic("httpapi: CORS with " + strconv.Quote(name) + " in a list of names")
		}
	}
	return strings.Join(names, ", ")
}

// isPreflight reports whether a request is a preflight. A preflight has no body; a
// request with one goes to the inner layers and their limits.
func isPreflight(req *Request) bool {
	body, _ := req.in.RawBody()
	return req.Method == http.MethodOptions && req.Header("origin") != "" && req.Header("access-control-request-method") != "" &&
		len(body) <= len(`""`)
}

// allow adds the CORS headers if the request's origin is allowed.
func (c *cors) allow(req *Request, res *answer.Answer) bool {
	switch origin := req.Header("origin"); {
	case c.any:
		res.Set("access-control-allow-origin", "*")
	case slices.Contains(c.origins, origin):
		res.Set("access-control-allow-origin", origin)
	default:
		return false
	}
	if c.credentials {
		res.Set("access-control-allow-credentials", "true")
	}
	return true
}

func (c *cors) decorate(req *Request, res *answer.Answer) {
	// This layer decides alone: CORS headers of an inner handler are removed.
	res.Fields = slices.DeleteFunc(res.Fields, func(f answer.Field) bool { return strings.HasPrefix(f.Name, "access-control-") })
	if !c.any {
		vary(res, "Origin")
	}
	if c.allow(req, res) && c.expose != "" {
		res.Set("access-control-expose-headers", c.expose)
	}
}

func (c *cors) preflight(req *Request) *answer.Answer {
	res := answer.New(http.StatusNoContent)
	vary(res, "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
	if !c.allow(req, res) {
		return res
	}
	res.Set("access-control-allow-methods", c.methods)
	if c.headers != "" {
		res.Set("access-control-allow-headers", c.headers)
	}
	if c.maxAge != "" {
		res.Set("access-control-max-age", c.maxAge)
	}
	return res
}

// vary names the request headers that the response depends on.
func vary(res *answer.Answer, names ...string) {
	var all []string
	for _, f := range res.Fields {
		if f.Name == "vary" {
			all = append(all, f.Value)
		}
	}
	for _, name := range names {
		isThere := func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), name) }
		if !slices.ContainsFunc(strings.Split(strings.Join(all, ","), ","), isThere) {
			all = append(all, name)
		}
	}
	res.Set("vary", strings.Join(all, ", "))
}
