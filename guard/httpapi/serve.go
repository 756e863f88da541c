package httpapi

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Serve puts a net/http handler behind the chain: a ServeMux, chi, connect. It
// sees the request as a server would show it, with the invocation's context:
// path without stage and base path, raw query, host, the caller's address,
// headers and cookies; there are no trailers. Its response is sent when it
// returns, as Lambda takes one answer per event: Flush does nothing, and a
// connection cannot be hijacked.
func Serve(h http.Handler) lambda.Handler {
	if h == nil {
		panic("httpapi: Serve of a nil handler")
	}
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		r, err := req.standard(ctx)
		if err != nil {
			return nil, err
		}
		w := recorder{header: make(http.Header, 4)}
		h.ServeHTTP(&w, r)
		if r.Pattern != "" {
			guard.SetRoute(ctx, r.Pattern)
		}
		return x.answer(w.response(r.Method))
	})
}

// standard gives the request as net/http's server would.
func (r *Request) standard(ctx context.Context) (*http.Request, error) {
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(r.http.Headers)+1)
	for name, value := range r.http.Headers {
		header.Add(name, value)
	}
	if len(r.http.Cookies) > 0 {
		header.Set("Cookie", strings.Join(r.http.Cookies, "; "))
	}
	header.Del("Host")
	proto := r.http.RequestContext.HTTP.Protocol
	major, minor, ok := http.ParseHTTPVersion(proto)
	if !ok {
		proto, major, minor = "HTTP/1.1", 1, 1
	}
	u := r.url()
	req := &http.Request{
		Method:        r.Method,
		URL:           u,
		Proto:         proto,
		ProtoMajor:    major,
		ProtoMinor:    minor,
		Header:        header,
		Body:          http.NoBody,
		ContentLength: int64(len(body)),
		Host:          r.host(),
		RemoteAddr:    net.JoinHostPort(r.ClientIP(), "0"),
		RequestURI:    u.RequestURI(),
	}
	if len(body) > 0 {
		req.Body = &reader{*bytes.NewReader(body)}
	}
	return req.WithContext(ctx), nil
}

// reader is a body that has nothing to close.
type reader struct{ bytes.Reader }

func (*reader) Close() error { return nil }

// recorder keeps a response until it is whole.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 {
		return // an informational response cannot be passed on
	}
	w.status = status
	w.sent = w.header.Clone()
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *recorder) WriteString(s string) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.WriteString(s)
}

// Flush is there for handlers that require one.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// response is what was recorded, completed as net/http's server does.
func (w *recorder) response(method string) *response {
	w.WriteHeader(http.StatusOK)
	w.sent.Del("Transfer-Encoding")
	w.sent.Del("Connection")
	w.sent.Del("Content-Length") // the gateway's to tell
	res := newResponse(w.status)
	res.addHeader(w.sent)
	if method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return res
	}
	res.body = w.body.Bytes()
	_, typed := w.sent["Content-Type"]
	if _, packed := res.get("content-encoding"); !typed && !packed && len(res.body) > 0 {
		res.set("content-type", http.DetectContentType(res.body))
	}
	return res
}
