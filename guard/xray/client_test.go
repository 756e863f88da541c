package xray_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

func httpRequest(ctx context.Context, t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// traced returns the document of an invocation that does this.
func traced(t *testing.T, d *daemon, header string, do func(ctx context.Context)) document {
	t.Helper()
	invoke(t, guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		do(ctx)
		return nil, nil
	}), xray.Trace()), d.context(header), `{}`)
	return d.next()
}

func TestARequestIsASubsegment(t *testing.T) {
	for status, want := range map[int]outcome{
		200: {}, 404: {error: true}, 429: {error: true, throttle: true}, 503: {fault: true},
	} {
		var header string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header = r.Header.Get("X-Amzn-Trace-Id")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "hunter2")
		}))
		defer server.Close()
		d := startDaemon(t)
		got := traced(t, d, sampled+";Lineage=1:12326a9d:0;Self=x", func(ctx context.Context) {
			r := httpRequest(ctx, t, strings.Replace(server.URL, "//", "//user:hunter2@", 1)+"/hunter2?hunter2#hunter2")
			resp, err := xray.Client(server.Client()).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hunter2" {
				t.Errorf("got %s, %v, want the answer", body, err)
			}
		})
		if len(got.Subsegments) != 1 {
			t.Fatalf("%d: got %s, want one request", status, got.text)
		}
		call := got.Subsegments[0]
		if outcomeOf(call) != want || call.Namespace != "remote" || call.Name != strings.TrimPrefix(server.URL, "http://") || call.ParentID != got.ID {
			t.Errorf("%d: got %s, want %+v", status, got.text, want)
		}
		req, resp := call.HTTP["request"], call.HTTP["response"]
		if req["method"] != "POST" || req["url"] != server.URL || resp["status"] != float64(status) || resp["content_length"] != 7. {
			t.Errorf("%d: got %v, want the request without its path", status, call.HTTP)
		}
		if want := "Root=" + root + ";Parent=" + call.ID + ";Sampled=1;Lineage=1:12326a9d:0"; header != want {
			t.Errorf("got the header %s, want %s", header, want)
		}
		if strings.Contains(got.text, "hunter2") {
			t.Errorf("got %s, want nothing of the path and the answer", got.text)
		}
	}
}

func TestUnsampledIsSentOn(t *testing.T) {
	var header string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { header = r.Header.Get("X-Amzn-Trace-Id") }))
	defer server.Close()
	d := startDaemon(t)
	unsampled := "Root=" + root + ";Parent=" + parent + ";Sampled=0"
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		r := httpRequest(ctx, t, server.URL)
		resp, err := xray.Client(nil).Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		if len(r.Header) != 0 {
			t.Errorf("got %v, want the caller's request as it was", r.Header)
		}
		return nil, err
	}), xray.Trace())
	invoke(t, h, d.context(unsampled), `{}`)
	d.nothing()
	if header != unsampled {
		t.Errorf("got %q, want %q", header, unsampled)
	}
	invoke(t, h, d.context(nil), `{}`)
	if header != "" {
		t.Errorf("got %q of an untraced invocation, want none", header)
	}
}

func TestAnUnsampledSubsegmentIsNoParent(t *testing.T) {
	d := startDaemon(t)
	for _, header := range []string{"Root=" + root + ";Parent=" + parent + ";Sampled=0", "Root=" + root + ";Sampled=0"} {
		var sent string
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			return nil, sdk.Capture(ctx, "own", func(ctx context.Context) error {
				_, err := xray.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					sent = r.Header.Get("X-Amzn-Trace-Id")
					return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
				})}).Do(httpRequest(ctx, t, "http://192.0.2.1/"))
				return err
			})
		}), xray.Trace())
		invoke(t, h, d.context(header), `{}`)
		if sent != header {
			t.Errorf("got %q, want %q, as the SDK's subsegment has no id", sent, header)
		}
	}
}

func TestARequestThatIsNoneIsRefusedByTheTransport(t *testing.T) {
	for name, c := range map[string]struct{ spoil func(r *http.Request) }{
		"no URL":    {spoil: func(r *http.Request) { r.URL = nil }},
		"no header": {spoil: func(r *http.Request) { r.Header = nil }},
	} {
		refused := errors.New("refused")
		tracing := xray.Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, refused })}).Transport
		send := func(ctx context.Context) {
			defer func() {
				if value := recover(); value != nil {
					t.Errorf("%s: got the panic %v, want none", name, value)
				}
			}()
			r := httpRequest(ctx, t, "http://192.0.2.1/")
			c.spoil(r)
			if _, err := tracing.RoundTrip(r); !errors.Is(err, refused) {
				t.Errorf("%s: got %v, want the error of the transport", name, err)
			}
		}
		send(t.Context())
		if got := traced(t, startDaemon(t), sampled, send); got.InProgress {
			t.Errorf("%s: got %s, want the handler complete", name, got.text)
		}
	}
}

func TestARequestWithoutAHostHasAName(t *testing.T) {
	got := traced(t, startDaemon(t), sampled, func(ctx context.Context) {
		files := &http.Client{Transport: http.NewFileTransport(http.Dir(t.TempDir()))}
		resp, err := xray.Client(files).Do(httpRequest(ctx, t, "file:///prices"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	})
	if len(got.Subsegments) != 1 || got.Subsegments[0].Name != "_" {
		t.Errorf("got %s, want a name, as X-Ray takes no document without", got.text)
	}
}

func TestAnErrorBesideAnAnswerIsAFault(t *testing.T) {
	got := traced(t, startDaemon(t), sampled, func(ctx context.Context) {
		both := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, io.ErrUnexpectedEOF
		})
		if _, err := xray.Client(&http.Client{Transport: both}).Transport.RoundTrip(httpRequest(ctx, t, "http://192.0.2.1/")); err == nil {
			t.Error("want the error")
		}
	})
	if len(got.Subsegments) != 1 || outcomeOf(got.Subsegments[0]) != (outcome{fault: true}) {
		t.Errorf("got %s, want the request as a fault, as the caller has no answer", got.text)
	}
}

// The SDK's own client leaves a subsegment open here, and nothing at all is sent
// (aws-xray-sdk-go#289).
func TestARequestThatIsCancelledIsAFault(t *testing.T) {
	waiting := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client leave
		waiting <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	for name, base := range map[string]*http.Transport{
		"while it waits": {},
		"while it connects": {DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			waiting <- struct{}{}
			<-ctx.Done()
			return nil, errors.New("hunter2")
		}},
	} {
		d := startDaemon(t)
		got := traced(t, d, sampled, func(ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			go func() { <-waiting; cancel() }()
			_, err := xray.Client(&http.Client{Transport: base}).Do(httpRequest(ctx, t, server.URL))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want it cancelled", name, err)
			}
		})
		if len(got.Subsegments) != 1 || outcomeOf(got.Subsegments[0]) != (outcome{fault: true}) || strings.Contains(got.text, "hunter2") {
			t.Errorf("%s: got %s, want the request as a fault", name, got.text)
			continue
		}
		if x := got.Subsegments[0].Cause.Exceptions; len(x) != 1 || x[0].Type == "" || x[0].Message != "" || x[0].Stack != nil {
			t.Errorf("%s: got %s, want the type of the error alone", name, got.text)
		}
		base.CloseIdleConnections()
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARequestThatPanicsIsAFault(t *testing.T) {
	d := startDaemon(t)
	got := traced(t, d, sampled, func(ctx context.Context) {
		defer func() { _ = recover() }()
		bad := roundTrip(func(*http.Request) (*http.Response, error) { panic("hunter2") })
		_, _ = xray.Client(&http.Client{Transport: bad}).Do(httpRequest(ctx, t, "http://192.0.2.1/"))
	})
	if len(got.Subsegments) != 1 || !got.Subsegments[0].Fault || got.InProgress {
		t.Errorf("got %s, want the request as a fault", got.text)
	}
}

func TestOutsideAnInvocationTheClientIsAsItWas(t *testing.T) {
	t.Setenv("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR")
	closed := false
	base := closer{roundTrip(func(r *http.Request) (*http.Response, error) {
		if len(r.Header) != 0 {
			t.Errorf("got %v, want no header", r.Header)
		}
		return nil, io.EOF
	}), &closed}
	c := xray.Client(&http.Client{Transport: base})
	for name, ctx := range map[string]context.Context{
		"no header": t.Context(),
		"a header":  startDaemon(t).context(sampled),
		"a number":  startDaemon(t).context(1),
	} {
		if _, err := c.Do(httpRequest(ctx, t, "http://192.0.2.1/")); !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v, want that of the transport", name, err)
		}
	}
	if c.CloseIdleConnections(); !closed {
		t.Error("want idle connections closed")
	}
	if sdk.GetSegment(t.Context()) != nil {
		t.Error("got a segment")
	}
}

type closer struct {
	http.RoundTripper
	closed *bool
}

func (c closer) CloseIdleConnections() { *c.closed = true }
