package outgoing_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
)

func TestARequestEndsInTime(t *testing.T) {
	for _, tc := range []struct {
		rule string
		left time.Duration // of the context; 0 is no deadline
		opts []outgoing.Option
		want time.Duration
	}{
		{rule: "before its context", left: 3 * time.Second, want: 2900 * time.Millisecond},
		{rule: "at half of a short time", left: 80 * time.Millisecond, want: 40 * time.Millisecond},
		{rule: "after the timeout without a deadline", want: 30 * time.Second},
		{rule: "another reserve", left: 3 * time.Second, opts: []outgoing.Option{outgoing.Reserve(time.Second)}, want: 2 * time.Second},
		{rule: "no reserve", left: 3 * time.Second, opts: []outgoing.Option{outgoing.Reserve(0)}, want: 3 * time.Second},
		{rule: "another timeout", opts: []outgoing.Option{outgoing.Timeout(5 * time.Second)}, want: 5 * time.Second},
		{rule: "a timeout is no limit of a deadline", left: 300 * time.Second, opts: []outgoing.Option{outgoing.Timeout(time.Second)}, want: 299900 * time.Millisecond},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.left > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.left)
					defer cancel()
				}
				hangs := roundTrip(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				began := time.Now()
				_, err := outgoing.Transport(hangs, tc.opts...).RoundTrip(httptest.NewRequestWithContext(ctx, "GET", "https://api.example/", nil))
				if took := time.Since(began); took != tc.want || guard.KindOf(err) != guard.Timeout {
					t.Errorf("got %v after %v, want a timeout after %v", err, took, tc.want)
				}
			})
		})
	}
}

// The handler answers for a dependency that does not.
func TestAHandlerHasTimeToAnswer(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
		}
		<-hang
	}))
	defer server.Close()
	defer close(hang)
	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Reserve(time.Second))}
	together(2, func(i int) {
		path := []string{"/", "/body"}[i]
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			r, err := http.NewRequestWithContext(ctx, "GET", server.URL+path, nil)
			if err != nil {
				return nil, err
			}
			res, err := client.Do(r)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				t.Errorf("%s: got %v, and %v of the handler; want a timeout of the request alone", path, err, ctx.Err())
			}
			return []byte(`"from the cache"`), nil
		}), guard.Deadline(time.Millisecond))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if out, err := h.Invoke(ctx, nil); err != nil || string(out) != `"from the cache"` {
			t.Errorf("%s: got %s, %v, want an answer", path, out, err)
		}
	})
}

// The context of a request ends with its body, so that nothing is left in the next
// invocation.
func TestABodyEndsItsRequest(t *testing.T) {
	for rule, end := range map[string]func(io.ReadCloser){
		"closed": func(b io.ReadCloser) { _ = b.Close() },
		"read":   func(b io.ReadCloser) { _, _ = io.Copy(io.Discard, b) },
	} {
		var ctx context.Context
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			ctx = r.Context()
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		res, err := outgoing.Transport(base).RoundTrip(httptest.NewRequest("GET", "https://api.example/", nil))
		if err != nil || ctx.Err() != nil {
			t.Fatalf("%s: got %v and %v before the end", rule, err, ctx.Err())
		}
		end(res.Body)
		if ctx.Err() == nil {
			t.Errorf("%s: the request goes on", rule)
		}
		_ = res.Body.Close()
	}
}

func TestAProtocolCanBeSwitched(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func(c net.Conn) { _ = c.Close() }(conn)
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
	res, err := outgoing.Transport(nil).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	w, ok := res.Body.(io.Writer)
	if !ok {
		t.Fatalf("got a body that cannot be written: %T", res.Body)
	}
	_, _ = io.WriteString(w, "hello\n")
	if got, err := bufio.NewReader(res.Body).ReadString('\n'); got != "hello\n" {
		t.Errorf("got %q, %v, want hello", got, err)
	}
}
