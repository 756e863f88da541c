package httpapi

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// Serve returns a handler that passes requests to a net/http handler: a ServeMux,
// chi, connect. It panics if h is nil. The handler gets the request as from
// net/http's server, with the invocation's context. It has the path without stage
// and base path, the raw query, host, the caller's address, headers, cookies and,
// inside [Routes], the path values. There are no trailers.
//
// The response is sent when the handler returns, as Lambda takes one answer for
// each event. Flush does nothing, a connection cannot be hijacked, and a write
// beyond the size that Lambda takes fails. A response that is shorter than its
// Content-Length is an Internal error, where a server would break the connection. A
// Location is sent as the handler wrote it. Behind a REST API no path ends in a
// slash: register "/files" beside "/files/", as a redirect would lead back.
func Serve(h http.Handler) lambda.Handler {
	if h == nil {
		panic("httpapi: Serve of a nil handler")
	}
	// Without a server in the context, net/http/httputil.ReverseProxy returns a
	// truncated answer as a whole one instead of aborting.
	server := &http.Server{Handler: h}
	return handler(func(ctx context.Context, _ *exchange, req *Request) (*answer.Answer, error) {
		if _, ok := req.in.Path(); !ok {
			return nil, errAmbiguousPath()
		}
		r, err := req.standard(context.WithValue(ctx, http.ServerContextKey, server))
		if err != nil {
			return nil, err
		}
		w := &recorder{method: r.Method, header: make(http.Header, 4)}
		serve(h, w, r)
		return w.response()
	})
}

// serve calls h. It cleans up after a panic too: the process goes on, and the
// record of the panic has the route.
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

// standard returns the request as net/http's server makes it. Its URL has only the
// decoded path: with a raw path beside it a handler could find another route.
func (r *Request) standard(ctx context.Context) (*http.Request, error) {
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	matched := r.matched // it has the path values
	if matched == nil {
		matched = &http.Request{}
	}
	req := matched.WithContext(ctx)
	req.Method, req.Host, req.URL = r.Method, r.in.Host(), &url.URL{Path: r.Path, RawQuery: r.in.RawQuery()}
	req.Header, req.RemoteAddr, req.RequestURI = r.canonical(), net.JoinHostPort(r.ClientIP(), "0"), req.URL.RequestURI()
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	proto := r.in.Protocol()
	if major, minor, ok := http.ParseHTTPVersion(proto); ok {
		req.Proto, req.ProtoMajor, req.ProtoMinor = proto, major, minor
	}
	req.Body, req.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return req, nil
}

// canonical returns the headers as net/http has them: without Host, and with all
// cookies in one line.
func (r *Request) canonical() http.Header {
	fields := r.in.Headers()
	header := make(http.Header, len(fields)+1)
	for _, f := range fields {
		if f.Name != "host" {
			header[http.CanonicalHeaderKey(f.Name)] = []string{f.Value}
		}
	}
	if cookies := r.in.Cookies(); len(cookies) > 0 {
		header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	return header
}
