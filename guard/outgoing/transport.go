package outgoing

import (
	"context"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/headers"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// CorrelationHeader is the header with the correlation id, unless [CorrelationName] sets
// another one. No standard names it.
const CorrelationHeader = "X-Correlation-Id"

// Transport returns a transport that bounds each request in time, and sends the ids of
// the invocation to the hosts of [Hosts]:
//
//	X-Correlation-Id    guard.CorrelationID, or else Lambda's request id
//	traceparent         the span of the tracing layer, or else of Lambda's tracing header
//	X-Amzn-Trace-Id     Lambda's tracing header, with that span as the parent
//	Lambdarmor-Hops     the counter of package recursion, also as a member of the baggage
//
// A header that the request already has is not changed, even one that is empty. The
// counter alone is always set, see [recursion.SetHeader], so that no loop goes unseen. An
// id that is not there is not sent.
//
// A request ends, with the reading of its answer, 100 ms before the deadline of its
// context, so that the handler can still answer for a dependency that is too slow; see
// [Reserve]. A request without a deadline ends after 30 s; see [Timeout]. The error
// matches [context.DeadlineExceeded], so it is a guard.Timeout.
//
// base sends the requests; nil means [http.DefaultTransport]. A transport that traces,
// such as otelhttp, may be base or stand around: there is one traceparent, that of its
// span. If base sets the baggage, the counter is in Lambdarmor-Hops alone.
func Transport(base http.RoundTripper, opts ...Option) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	t := &transport{
		base: base, correlation: CorrelationHeader, reserve: 100 * time.Millisecond, timeout: 30 * time.Second,
	}
	for _, opt := range opts {
		opt.set(t)
	}
	return t
}

type transport struct {
	base             http.RoundTripper
	own              hosts.List
	correlation      string
	reserve, timeout time.Duration
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := t.bound(r.Context())
	bounded := r.WithContext(ctx)
	if t.own.Has(r) {
		bounded.Header = t.identified(ctx, r.Header)
	}
	res, err := t.base.RoundTrip(bounded)
	if err != nil || res.Body == nil {
		cancel()
		return res, err
	}
	res.Body = boundBy(res.Body, cancel)
	return res, nil
}

// identified returns a copy of a header with the ids of the invocation.
func (t *transport) identified(ctx context.Context, header http.Header) http.Header {
	header = headers.Copy(header)
	add := func(name, id string) {
		if _, ok := header[name]; !ok && id != "" {
			header[name] = []string{id}
		}
	}
	add(t.correlation, invocation.Correlation(ctx))
	add("Traceparent", ids.Traceparent(ctx))
	add(amzntrace.Name, ids.AmznTrace(ctx))
	recursion.SetHeader(ctx, header)
	return header
}
