package outgoing_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
)

// sent are the headers of this package in a request that arrived.
func sent(h http.Header) http.Header {
	got := http.Header{}
	for _, name := range []string{"X-Correlation-Id", "Traceparent", "X-Amzn-Trace-Id", "Lambdarmor-Hops", "Baggage", "X-Request-Chain"} {
		if values, ok := h[name]; ok {
			got[name] = values
		}
	}
	return got
}

func TestIdsOfTheInvocationAreSent(t *testing.T) {
	const traceID, spanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for _, tc := range []struct {
		rule           string
		in             invocation
		trace, span    string // of layer.SetTrace
		sampled        bool
		set            http.Header // by the caller
		opts           []outgoing.Option
		correlation    string
		traceparent    string
		amzn           string
		hops, baggage  string
		correlationKey string
	}{
		{
			rule: "all that there is", in: invocation{trace: header, requestID: "request-1", correlation: "order-7", hops: 2},
			correlation: "order-7", traceparent: "00-" + w3c + "-" + parent + "-01", amzn: header, hops: "3", baggage: "lambdarmor.hops=3",
		},
		{rule: "nothing", in: invocation{hops: -1}},
		{rule: "the request id instead of a correlation id", in: invocation{requestID: "request-1", hops: -1}, correlation: "request-1"},
		{
			rule: "a header that is not sampled", in: invocation{trace: "Root=" + root + ";Parent=" + parent + ";Sampled=0", hops: -1},
			traceparent: "00-" + w3c + "-" + parent + "-00", amzn: "Root=" + root + ";Parent=" + parent + ";Sampled=0",
		},
		{rule: "a header that is passed through", in: invocation{trace: "Root=" + root, hops: -1}, amzn: "Root=" + root},
		{
			rule: "a span of another trace", in: invocation{trace: header, hops: -1}, trace: traceID, span: spanID, sampled: true,
			traceparent: "00-" + traceID + "-" + spanID + "-01", amzn: header,
		},
		{
			rule: "a span of Lambda's trace", in: invocation{trace: header, hops: -1}, trace: w3c, span: spanID,
			traceparent: "00-" + w3c + "-" + spanID + "-00", amzn: "Root=" + root + ";Parent=" + spanID + ";Sampled=0;Lineage=1:a87bd80c:0",
		},
		{
			rule: "a span without X-Ray", in: invocation{hops: -1}, trace: traceID, span: spanID,
			traceparent: "00-" + traceID + "-" + spanID + "-00",
		},
		{
			rule: "headers of the caller", in: invocation{trace: header, correlation: "order-7", hops: 0},
			set:         http.Header{"X-Correlation-Id": {"mine"}, "Traceparent": {"00-mine"}, "X-Amzn-Trace-Id": {"Root=mine"}, "Lambdarmor-Hops": {"0"}, "Baggage": {"a=1"}},
			correlation: "mine", traceparent: "00-mine", amzn: "Root=mine", hops: "1", baggage: "a=1,lambdarmor.hops=1",
		},
		{
			rule: "a header of the caller in lower case", in: invocation{trace: "Root=" + root, correlation: "order-7", hops: -1},
			set: http.Header{"x-correlation-id": {"mine"}}, correlation: "mine", amzn: "Root=" + root,
		},
		{
			rule: "headers that the caller leaves out", in: invocation{trace: header, correlation: "order-7", hops: -1},
			set: http.Header{"X-Correlation-Id": nil, "Traceparent": nil, "X-Amzn-Trace-Id": nil},
		},
		{
			rule: "another name", in: invocation{correlation: "order-7", hops: -1}, opts: []outgoing.Option{outgoing.CorrelationName("x-request-chain")},
			correlationKey: "X-Request-Chain", correlation: "order-7",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			server := echo(t)
			client := &http.Client{Transport: outgoing.Transport(nil, append(tc.opts, outgoing.Hosts("127.0.0.1"))...)}
			want := http.Header{}
			key := tc.correlationKey
			if key == "" {
				key = "X-Correlation-Id"
			}
			for name, value := range map[string]string{key: tc.correlation, "Traceparent": tc.traceparent, "X-Amzn-Trace-Id": tc.amzn, "Lambdarmor-Hops": tc.hops, "Baggage": tc.baggage} {
				if value != "" {
					want.Set(name, value)
				}
			}
			tc.in.run(t, func(ctx context.Context) {
				layer.SetTrace(ctx, tc.trace, tc.span, tc.sampled)
				if got := sent(call(t, ctx, client, server.URL, tc.set)); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// SECURITY: Sent to listed hosts alone.
func TestOtherHostsGetNoIds(t *testing.T) {
	full := invocation{trace: header, requestID: "request-1", correlation: "order-7"}
	for rule, opts := range map[string][]outgoing.Option{
		"without Hosts":  nil,
		"another host":   {outgoing.Hosts("api.example")},
		"a host beneath": {outgoing.Hosts("*.127.example", "localhost")},
	} {
		server := echo(t)
		client := &http.Client{Transport: outgoing.Transport(nil, opts...)}
		full.run(t, func(ctx context.Context) {
			if got := sent(call(t, ctx, client, server.URL, nil)); len(got) != 0 {
				t.Errorf("%s: got %v, want nothing", rule, got)
			}
		})
	}
}

// Another customer of the same gateway or CDN is another host.
//
// SECURITY: Sent to listed hosts alone.
func TestAnotherHostInTheHeaderGetsNoIds(t *testing.T) {
	var arrived http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = r.Header }))
	defer server.Close()
	for host, want := range map[string]bool{"": true, "127.0.0.1": true, "evil.example": false} {
		invocation{trace: header, correlation: "order-7"}.run(t, func(ctx context.Context) {
			r, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			res, err := outgoing.Transport(nil, outgoing.Hosts("127.0.0.1")).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
		})
		if got := len(sent(arrived)) > 0; got != want {
			t.Errorf("%q: got ids %t, want %t", host, got, want)
		}
	}
}

func TestARequestWithoutAURLIsRefused(t *testing.T) {
	if _, err := outgoing.Transport(nil, outgoing.Hosts("127.0.0.1")).RoundTrip(&http.Request{}); err == nil {
		t.Error("got no error")
	}
}

// SECURITY: Sent to listed hosts alone.
func TestARedirectTakesNoIdsToAnotherHost(t *testing.T) {
	other := echo(t)
	var second http.Header
	mux := http.NewServeMux()
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		second = r.Header
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	mux.Handle("/", http.RedirectHandler("/away", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))}
	invocation{trace: header, correlation: "order-7"}.run(t, func(ctx context.Context) {
		got := sent(call(t, ctx, client, server.URL, nil))
		if len(got) != 0 || len(sent(second)) != 5 {
			t.Errorf("got %v at the other host and %v before, want nothing and all five", got, sent(second))
		}
	})
}

// Each header of an event, and what is made of it, may be a client's.
//
// SECURITY: A caller does not choose the trace.
func TestJunkIsNotInjected(t *testing.T) {
	junk := map[string]string{
		"line breaks": "x\r\nX-Evil: 1", "a bare line feed": "Root=" + root + "\nX-Evil: 1", "10 kB": strings.Repeat("a", 10_000),
		"not ASCII": "ordér\x00\x7f\xff", "nested": "Root=Root=" + root + ";Parent=Parent=" + parent + ";Sampled=\"1;Lineage=x\"",
		"other fields": "Evil=1;Self=x;CalledFrom=app", "10 kB of fields": strings.Repeat("Root=1;", 1500), "spaces": "a b", "baggage": "a=1,lambdarmor.hops=9",
	}
	for rule, text := range junk {
		server := echo(t)
		client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))}
		invocation{trace: text, requestID: text, correlation: text, hops: -1}.run(t, func(ctx context.Context) {
			layer.SetTrace(ctx, text, text, true)
			got := call(t, ctx, client, server.URL, nil)
			if got.Get("X-Evil") != "" || got.Get("Traceparent") != "" {
				t.Errorf("%s: got %v", rule, got)
			}
			for name, values := range sent(got) {
				for _, value := range values {
					if len(value) > 128 || strings.ContainsAny(value, "\r\n\x00 ") {
						t.Errorf("%s: got %s %q", rule, name, value)
					}
				}
			}
			if amzn := got.Get("X-Amzn-Trace-Id"); amzn != "" {
				t.Errorf("%s: got the tracing header %q, want none", rule, amzn)
			}
		})
		// What is well-formed before it is kept.
		invocation{trace: header + ";" + text, hops: -1}.run(t, func(ctx context.Context) {
			if got := call(t, ctx, client, server.URL, nil).Get("X-Amzn-Trace-Id"); got != header {
				t.Errorf("%s: got the tracing header %q, want %q", rule, got, header)
			}
		})
	}
}

// A transport that traces stands around, or is the base.
func TestThereIsOneTraceparent(t *testing.T) {
	tracing := func(base http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Traceparent", "00-"+w3c+"-00000000000000aa-01")
			return base.RoundTrip(r)
		})
	}
	own := outgoing.Hosts("127.0.0.1")
	for rule, rt := range map[string]http.RoundTripper{
		"around": tracing(outgoing.Transport(nil, own)), "the base": outgoing.Transport(tracing(http.DefaultTransport), own), "twice": outgoing.Transport(outgoing.Transport(tracing(http.DefaultTransport), own), own),
	} {
		server := echo(t)
		invocation{trace: header, hops: -1}.run(t, func(ctx context.Context) {
			got := call(t, ctx, &http.Client{Transport: rt}, server.URL, nil)["Traceparent"]
			if len(got) != 1 || !strings.Contains(got[0], "00000000000000aa") {
				t.Errorf("%s: got %v, want that of the span", rule, got)
			}
		})
	}
}

func TestARequestIsNotChanged(t *testing.T) {
	var last *http.Request
	rt := outgoing.Transport(answered(&last), outgoing.Hosts("api.example"))
	invocation{trace: header, correlation: "order-7"}.run(t, func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, "POST", "https://api.example/x", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = nil
		res, err := rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if r.Header != nil || r.Context() != ctx || last == r || last.Body != r.Body {
			t.Errorf("got the header %v, want the request unchanged and its body sent", r.Header)
		}
	})
}

// SECURITY: Kept apart.
func TestManyInvocationsAtOnceMixNothing(t *testing.T) {
	server := echo(t)
	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))}
	together(64, func(i int) {
		id := fmt.Sprintf("order-%d", i)
		trace := fmt.Sprintf("Root=1-5759e988-%024x;Parent=%016x;Sampled=1", i+1, i+1)
		invocation{trace: trace, correlation: id, hops: i}.run(t, func(ctx context.Context) {
			for range 10 {
				got := call(t, ctx, client, server.URL, nil)
				want := fmt.Sprintf("00-5759e988%024x-%016x-01", i+1, i+1)
				if got.Get("X-Correlation-Id") != id || got.Get("X-Amzn-Trace-Id") != trace || got.Get("Traceparent") != want || got.Get("Lambdarmor-Hops") != fmt.Sprint(i+1) {
					t.Errorf("got %v, want %s and %s", sent(got), id, trace)
				}
			}
		})
	})
}

func TestMisconfigurationPanics(t *testing.T) {
	for rule, make := range map[string]func(){
		"a URL":              func() { outgoing.Hosts("https://api.example") },
		"every host":         func() { outgoing.Hosts("*") },
		"no name":            func() { outgoing.CorrelationName("") },
		"a header with more": func() { outgoing.CorrelationName("X-Id: 1\r\nX-Evil") },
		"a reserve":          func() { outgoing.Reserve(-1) },
		"a timeout":          func() { outgoing.Timeout(0) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "outgoing: ") {
					t.Errorf("%s: got %q, want a panic", rule, text)
				}
			}()
			make()
		}()
	}
}
