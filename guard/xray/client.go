package xray

import (
	"cmp"
	"net/http"
	"net/url"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// Client returns a copy of c that records each request as a subsegment named by
// the host, "_" without one, and sends the tracing header with it. A nil c is
// [http.DefaultClient]. The request's context must come from the invocation;
// requests with another one are sent as they are.
//
// Recorded are the method, the scheme and host of the URL, the status and the
// length of the answer: not the path and the query, which may hold ids and
// tokens. The time ends when the header of the answer is there. Redirects are
// requests of their own.
//
// The client of the SDK loses the trace of the whole invocation if a request ends
// before its answer begins, by a timeout for example (aws-xray-sdk-go#289). This
// one does not, and records no subsegments for the phases of a request.
func Client(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	traced := *c
	if traced.Transport == nil {
		traced.Transport = http.DefaultTransport
	}
	traced.Transport = &transport{base: traced.Transport}
	return &traced
}

type transport struct{ base http.RoundTripper }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil || r.Header == nil { // which the base has to refuse
		return t.base.RoundTrip(r)
	}
	ctx, seg := begin(r.Context(), r.URL.Host)
	here := current(ctx)
	if here == nil {
		return t.base.RoundTrip(r)
	}
	r = r.Clone(ctx) // a RoundTripper must not change the request
	r.Header.Set(amzntrace.Name, headerOf(here))
	if seg == nil {
		return t.base.RoundTrip(r)
	}
	return t.record(r, seg)
}

func (t *transport) record(r *http.Request, seg *sdk.Segment) (resp *http.Response, err error) {
	seg.Lock()
	seg.Namespace = "remote"
	seg.GetHTTP().Request = &sdk.RequestData{
		Method: shortened(cmp.Or(r.Method, http.MethodGet), longestName),
		URL:    shortened((&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}).String(), longestName),
	}
	seg.Unlock()
	status := unreturned.status
	defer func() { end(seg, status, err) }()
	resp, err = t.base.RoundTrip(r)
	status = 0
	if resp != nil {
		status = resp.StatusCode
		seg.Lock()
		seg.GetHTTP().Response = &sdk.ResponseData{Status: status, ContentLength: int(max(0, resp.ContentLength))}
		seg.Unlock()
	}
	return resp, err
}

// CloseIdleConnections is called by that of the http.Client.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
