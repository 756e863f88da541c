package httpapi

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Serve puts a net/http handler behind the chain: a ServeMux, chi, connect. It
// sees the request as a server would show it, with the invocation's context:
// path without stage and base path, raw query, host, the caller's address,
// headers, cookies and, inside [Routes], the path values; there are no trailers.
// Its response is sent when it returns, as Lambda takes one answer per event:
// Flush does nothing, a connection cannot be hijacked, and a write beyond the
// size that Lambda takes fails. A response that ends before its Content-Length is
// an Internal error, where a server would break the connection. A Location is
// sent as the handler wrote it. Behind a REST API no path ends in a slash: register
// "/files" beside "/files/", as a redirect between the two would lead back.
func Serve(h http.Handler) lambda.Handler {
	if h == nil {
		panic("httpapi: Serve of a nil handler")
	}
	// Where there is no server, net/http/httputil.ReverseProxy takes half an
	// answer for a whole one instead of aborting.
	server := &http.Server{Handler: h}
	return layer.NamedHandler(handlerName, guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		if _, ok := req.in.Path(); !ok {
			return nil, errAmbiguousPath()
		}
		r, err := req.standard(context.WithValue(ctx, http.ServerContextKey, server))
		if err != nil {
			return nil, err
		}
		w := &recorder{method: r.Method, header: make(http.Header, 4)}
		serve(h, w, r)
		res, err := w.response()
		if err != nil {
			return nil, err
		}
		return x.answer(res)
	}))
}

// serve calls h. What it leaves behind is seen to when it panics, too: the
// process lives on, and the record of a panic is to have its route.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http's server does
		}
		if r.Pattern != "" {
			layer.SetRoute(r.Context(), r.Pattern)
		}
	}()
	h.ServeHTTP(w, r)
}

// standard gives the request as net/http's server would.
func (r *Request) standard(ctx context.Context) (*http.Request, error) {
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	shape := &http.Request{}
	if r.matched != nil {
		shape = r.matched // it has the path values
	}
	req := shape.WithContext(ctx)
	req.Method, req.URL, req.Host = r.Method, r.url(), r.in.Host()
	req.Header, req.RemoteAddr, req.RequestURI = r.canonical(), net.JoinHostPort(r.ClientIP(), "0"), req.URL.RequestURI()
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	proto := r.in.Protocol()
	if major, minor, ok := http.ParseHTTPVersion(proto); ok {
		req.Proto, req.ProtoMajor, req.ProtoMinor = proto, major, minor
	}
	req.Body, req.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		req.Body = &reader{*bytes.NewReader(body)}
	}
	return req, nil
}

// canonical returns the headers in the form of net/http: host and cookies have
// places of their own in an event.
func (r *Request) canonical() http.Header {
	fields := r.in.Headers()
	header := make(http.Header, len(fields)+1)
	for _, f := range fields {
		if f.Name != "host" && f.Name != "cookie" {
			header[http.CanonicalHeaderKey(f.Name)] = []string{f.Value}
		}
	}
	if cookies := r.in.Cookies(); len(cookies) > 0 {
		header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	return header
}

// reader is a body that has nothing to close.
type reader struct{ bytes.Reader }

func (*reader) Close() error { return nil }
