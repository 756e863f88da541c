package jwt_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// Answers that are no keys. A token is then neither accepted nor called a bad
// one, and one request is made for it.
func TestAnswersThatAreNoKeys(t *testing.T) {
	k := newEC("a")
	good := jwks(k)
	padding := []byte(`,"x":"` + strings.Repeat("x", 10_000_000) + `"}`)
	large := append(append([]byte{}, good[:len(good)-1]...), padding...)
	for name, answer := range map[string]http.HandlerFunc{
		"500":     fail,
		"204":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"404":     http.NotFound,
		"206":     func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(206); serve(good)(w, r) },
		"HTML":    serve([]byte("<!doctype html><title>Sign in</title>")),
		"nothing": serve(nil),
		"a token": serve([]byte(k.token(claims(nil)))),
		"10 MB":   serve(large),
		"10 MB, and nothing said of it": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			serve(large)(w, r)
		},
		"10 MB of white space after the keys": func(w http.ResponseWriter, r *http.Request) {
			serve(append(bytes.Clone(good), bytes.Repeat([]byte(" "), 10_000_000)...))(w, r)
		},
		"10 MB in 10 kB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(large)
			_ = z.Close()
		},
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)+100))
			serve(good)(w, r)
			panic(http.ErrAbortHandler)
		},
		"cut off in the middle": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			serve(good[:len(good)/2])(w, r)
			panic(http.ErrAbortHandler)
		},
		"hung up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect to itself": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, keyPath, http.StatusFound)
		},
		"a redirect with the keys": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
			serve(good)(w, r)
		},
		"large headers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 20<<20))
			serve(good)(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newKeyServer(t, answer)
			v, _ := remote(t, s)
			for range 10 {
				expectCode(t, v, "a good token", k.token(claims(nil)), outage)
			}
			s.expect(t, "ten tokens", 1)
			if got := s.count("/elsewhere"); got != 0 {
				t.Errorf("got %d requests after a redirect, want none", got)
			}
		})
	}
}

// A stalled body is one that begins, and does not go on.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (stalled) Close() error { return nil }

func TestASlowIssuerIsNotWaitedFor(t *testing.T) {
	requests := 0
	v, _ := started(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(issuer + keyPath),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			requests++
			return &http.Response{StatusCode: http.StatusOK, Body: stalled{ctx: r.Context()}}, nil
		})},
	})
	v.SetFetchTimeout(50 * time.Millisecond)
	for range 2 {
		_, err := v.Verify(t.Context(), newEC("a").token(claims(nil)))
		if codeOf(err) != outage || !errors.Is(err, context.DeadlineExceeded) || requests != 1 {
			t.Errorf("got %v after %d requests, want the end of the time after one", err, requests)
		}
	}
}

// An endless body has spaces without end, and counts how many are read.
type endlessBody struct{ read int }

func (e *endlessBody) Read(p []byte) (int, error) {
	e.read += len(p)
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func (*endlessBody) Close() error { return nil }

func TestOfAnEndlessAnswerNoMoreIsReadThanTheBound(t *testing.T) {
	body := &endlessBody{}
	v, _ := started(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(issuer + keyPath),
		HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: body}, nil
		})},
	})
	expectCode(t, v, "endless", newEC("a").token(claims(nil)), outage)
	if body.read > 150_001 {
		t.Errorf("got %d bytes read, want 150001 at most", body.read)
	}
}

func TestTheTimeoutOfAFetch(t *testing.T) {
	if got := jwt.New(jwt.Config{Issuer: issuer, Audiences: []string{audience}}).FetchTimeout(); got != 1500*time.Millisecond {
		t.Errorf("%v", got)
	}
}

func TestAWaiterLeavesOnItsOwnContext(t *testing.T) {
	k := newEC("a")
	asked, release := make(chan struct{}, 1), make(chan struct{})
	s := newKeyServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		serve(jwks(k))(w, r)
	})
	v, _ := remote(t, s)
	token := k.token(claims(nil))

	first, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := v.Verify(first, token)
		left <- err
	}()
	<-asked
	stayed := make(chan error)
	go func() {
		_, err := v.Verify(t.Context(), token)
		stayed <- err
	}()
	for v.Waiters() != 2 {
		runtime.Gosched()
	}
	leave()
	if err := <-left; codeOf(err) != outage || !errors.Is(err, context.Canceled) {
		t.Errorf("who left: got %v, want the end of its context", err)
	}
	close(release)
	if err := <-stayed; err != nil {
		t.Errorf("who stayed: got %v, want a grant", err)
	}
	s.expect(t, "for both", 1)
}

func TestAFetchEndsWithTheLastWhoWaits(t *testing.T) {
	k := newEC("a")
	asked, ended := make(chan struct{}, 2), make(chan struct{}, 2)
	s := newKeyServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
		panic(http.ErrAbortHandler)
	})
	v, _ := remote(t, s)
	v.SetFetchTimeout(time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	for range 8 {
		go func() {
			_, err := v.Verify(ctx, k.token(claims(nil)))
			left <- err
		}()
	}
	<-asked
	for v.Waiters() != 8 {
		runtime.Gosched()
	}
	leave()
	for range 8 {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the end of its context", err)
		}
	}
	<-ended
	if v.Waiters() != 0 {
		t.Error("got a fetch that is still under way, want none")
	}
	// It was nobody's failure: the next one asks at once.
	s.answers(serve(jwks(k)))
	expectCode(t, v, "afterwards", k.token(claims(nil)), "")
}

func TestKeysThatAreThereNeedNoContext(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k)))
	v, _ := remote(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	expectCode(t, v, "with one that has not", k.token(claims(nil)), "")
	cancel()
	if _, err := v.Verify(ctx, k.token(claims(nil))); err != nil {
		t.Errorf("with keys that are there: got %v, want a grant", err)
	}
}

// The default client leaves nothing behind: no connection, and no goroutine.
func TestNoGoroutineOutlivesAFetch(t *testing.T) {
	k := newEC("a")
	token := k.token(claims(nil))
	hang := func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	large := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 64<<10))
		serve(jwks(k))(w, r)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		http2  bool
		code   string
	}{
		"HTTP/1.1":                 {answer: serve(jwks(k))},
		"HTTP/2":                   {answer: serve(jwks(k)), http2: true},
		"a failure":                {answer: fail, code: outage},
		"a failure by HTTP/2":      {answer: fail, http2: true, code: outage},
		"no answer":                {answer: hang, code: outage},
		"no answer by HTTP/2":      {answer: hang, http2: true, code: outage},
		"too much":                 {answer: serve(make([]byte, 1_000_000)), code: outage},
		"too much by HTTP/2":       {answer: serve(make([]byte, 1_000_000)), http2: true, code: outage},
		"large headers":            {answer: large, code: outage},
		"large headers by HTTP/2":  {answer: large, http2: true, code: outage},
		"nobody who listens there": {code: outage},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(c.answer)
			s.EnableHTTP2 = c.http2
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			var open atomic.Int64
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			s.StartTLS()
			defer s.Close()
			if c.answer == nil {
				s.Close()
			}
			before := runtime.NumGoroutine()
			for range 3 {
				v := jwt.New(jwt.Config{Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(s.URL)})
				v.SetClock(clockAt(now))
				v.Trust(s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs)
				v.SetFetchTimeout(time.Minute)
				if strings.HasPrefix(name, "no answer") {
					v.SetFetchTimeout(50 * time.Millisecond)
				}
				expectCode(t, v, "the token", token, c.code)
			}
			for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before || open.Load() > 0; runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("got %d goroutines, want %d as before; and %d connections, want none", runtime.NumGoroutine(), before, open.Load())
				}
			}
		})
	}
}
