package clientcredentials_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
	"github.com/lambdarmor/lambdarmor/secrets"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARequestIsThatOfTheGrant(t *testing.T) {
	const id, secret = "or:ders é", "p:w%+ &=ü"
	for _, tc := range []struct {
		rule   string
		opts   []clientcredentials.Option
		basic  bool
		params url.Values
	}{
		{rule: "by default", basic: true},
		{rule: "scopes", opts: []clientcredentials.Option{clientcredentials.Scopes("a:b", "c")}, basic: true, params: url.Values{"scope": {"a:b c"}}},
		{
			rule: "an audience and resources", basic: true,
			opts:   []clientcredentials.Option{clientcredentials.Audience("stock"), clientcredentials.Resource("https://a.example/", "urn:b")},
			params: url.Values{"audience": {"stock"}, "resource": {"https://a.example/", "urn:b"}},
		},
		{rule: "the secret in the body", opts: []clientcredentials.Option{clientcredentials.SecretInBody()}, params: url.Values{"client_id": {id}, "client_secret": {secret}}},
	} {
		s := newServer(t)
		src := clientcredentials.New(s.URL+"/token?tenant=7", id, secrets.New(&vault{value: secret}), "x", tc.opts...)
		uri := ""
		s.answers(func(w http.ResponseWriter, r *http.Request, n int) {
			uri = r.Method + " " + r.RequestURI
			issue(w, n, 3600)
		})
		want(t, src, tc.rule, "token-1")
		params := url.Values{"grant_type": {"client_credentials"}}
		for name, values := range tc.params {
			params[name] = values
		}
		if got := s.forms[0]; got.Encode() != params.Encode() || uri != "POST /token?tenant=7" {
			t.Errorf("%s: got %s %v, want POST %v", tc.rule, uri, got, params)
		}
		r := &http.Request{Header: s.headers[0]}
		user, password, ok := r.BasicAuth()
		gotUser, _ := url.QueryUnescape(user)
		gotPassword, _ := url.QueryUnescape(password)
		if ok != tc.basic || ok && (gotUser != id || gotPassword != secret || strings.Contains(user, ":")) {
			t.Errorf("%s: got the credentials %q %q %t", tc.rule, user, password, ok)
		}
		if got := r.Header.Get("Content-Type") + " " + r.Header.Get("Accept"); got != "application/x-www-form-urlencoded application/json" {
			t.Errorf("%s: got the types %s", tc.rule, got)
		}
	}
}

func TestATokenIsFetchedOnceForAllWhoWait(t *testing.T) {
	src, s, _, _ := setup(t)
	release := make(chan struct{})
	s.answers(func(w http.ResponseWriter, _ *http.Request, n int) { <-release; issue(w, n, 3600) })
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	var left atomic.Int32
	for i := range 64 {
		done.Go(func() {
			if i%2 == 0 {
				if token, err := src.Token(t.Context()); err != nil || token.Text() != "token-1" {
					t.Errorf("got %q, %v, want token-1", token.Text(), err)
				}
				return
			}
			if _, err := src.Token(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want one that left", err)
			}
			left.Add(1)
		})
	}
	for clientcredentials.Waiting(src) < 64 {
		runtime.Gosched()
	}
	cancel()
	for left.Load() < 32 {
		runtime.Gosched()
	}
	close(release)
	done.Wait()
	if n := s.count(); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
	want(t, src, "afterwards", "token-1")
}

// Nothing is left running for the next invocation.
func TestARequestEndsWithTheLastWhoWaits(t *testing.T) {
	src, s, _, _ := setup(t)
	ended := make(chan struct{})
	s.answers(func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done(); close(ended) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for s.count() == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	if _, err := src.Token(ctx); !errors.Is(err, context.Canceled) || clientcredentials.Waiting(src) != 0 {
		t.Errorf("got %v, want the end of the wait", err)
	}
	<-ended
	s.answers(nil)
	want(t, src, "that was no failure of the server", "token-2")
}

func TestATokenIsRenewedAcrossFreezes(t *testing.T) {
	src, s, _, clock := setup(t)
	for _, step := range []struct {
		rule    string
		forward time.Duration
		want    string
	}{
		{rule: "the first", want: "token-1"},
		{rule: "at less than four fifths", forward: 47 * time.Minute, want: "token-1"},
		{rule: "before it expires", forward: 7*time.Minute + time.Second, want: "token-2"}, // 54 min
		{rule: "after a long freeze", forward: 26 * time.Hour, want: "token-3"},
		{rule: "after the clock was set back", forward: -time.Minute, want: "token-4"},
	} {
		clock.forward(step.forward)
		want(t, src, step.rule, step.want)
		want(t, src, step.rule+", again", step.want)
	}
	token, err := src.Token(t.Context())
	if err != nil || !token.Expiry().Equal(clock.Now().Add(time.Hour)) {
		t.Errorf("got the expiry %v, %v, want in an hour", token.Expiry(), err)
	}
	if n := s.count(); n != 4 {
		t.Errorf("got %d requests, want 4", n)
	}
}

func TestLivesAreBounded(t *testing.T) {
	for _, tc := range []struct {
		rule, expires string
		still, gone   time.Duration
	}{
		{rule: "missing", expires: "", still: 239 * time.Second, gone: 5 * time.Minute},
		{rule: "null", expires: `,"expires_in":null`, still: 239 * time.Second, gone: 5 * time.Minute},
		{rule: "a string", expires: `,"expires_in":"100"`, still: 79 * time.Second, gone: 91 * time.Second},
		{rule: "a minute", expires: `,"expires_in":60`, still: 47 * time.Second, gone: 55 * time.Second},
		{rule: "a second", expires: `,"expires_in":1`, still: 0, gone: time.Second},
		{rule: "years", expires: `,"expires_in":1e300`, still: 19 * time.Hour, gone: 24 * time.Hour},
	} {
		src, s, _, clock := setup(t)
		s.answers(func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"BEARER"%s}`, n, tc.expires)
		})
		want(t, src, tc.rule, "token-1")
		clock.forward(tc.still)
		want(t, src, tc.rule+", still", "token-1")
		clock.forward(tc.gone - tc.still)
		want(t, src, tc.rule+", gone", "token-2")
	}
}

func TestAnOutageIsBridgedByAValidToken(t *testing.T) {
	src, s, _, clock := setup(t)
	want(t, src, "the first", "token-1")
	clock.forward(55 * time.Minute)
	s.answers(fails(503, "quoted"))
	for range 100 {
		want(t, src, "in the outage", "token-1")
	}
	if n := s.count(); n != 2 {
		t.Errorf("got %d requests, want one more than 1", n)
	}
	clock.forward(4*time.Minute + 49*time.Second)
	want(t, src, "11 s before it expires", "token-1")
	clock.forward(2 * time.Second) // a request would arrive too late
	_, _ = src.Token(t.Context())
	asked := s.count()
	for range 100 {
		_, err := src.Token(t.Context())
		e := guard.Public(err)
		if e.Kind != guard.Unavailable || e.Code != "token_unavailable" || shows(err) {
			t.Fatalf("got %v after the token has expired, want token_unavailable", err)
		}
	}
	if n := s.count(); n != asked {
		t.Errorf("got %d requests, want no more than %d", n, asked)
	}
	s.answers(nil)
	clock.forward(time.Minute)
	want(t, src, "after the outage", fmt.Sprint("token-", asked+1))
}

func TestAServerThatFailsIsLeftAlone(t *testing.T) {
	src, s, _, clock := setup(t)
	s.answers(fails(500, "quoted"))
	asked := 0
	for i, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		_, err := src.Token(t.Context())
		if asked++; s.count() != asked || guard.KindOf(err) != guard.Unavailable {
			t.Fatalf("failure %d: got %d requests and %v, want %d", i, s.count(), err, asked)
		}
		clock.forward(pause * time.Second * 4 / 5 * 9 / 10)
		_, err = src.Token(t.Context())
		if e := guard.Public(err); s.count() != asked || e.RetryAfter <= 0 || e.RetryAfter > pause*time.Second {
			t.Errorf("failure %d: got %d requests and %v, want %d and a wait", i, s.count(), err, asked)
		}
		clock.forward(pause * time.Second)
	}
	for rule, after := range map[string]struct {
		header string
		pause  time.Duration
	}{
		"seconds": {"40", 40 * time.Second}, "a date": {clock.Now().Add(30 * time.Second).Format(http.TimeFormat), 30 * time.Second}, "too long": {"86400", time.Minute},
	} {
		src, s, _, clock2 := setup(t)
		clock2.now = clock.Now()
		s.answers(func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", after.header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := src.Token(t.Context())
		if got := guard.Public(err).RetryAfter; (got - after.pause).Abs() > time.Second {
			t.Errorf("%s: got %v, want %v", rule, got, after.pause)
		}
		clock2.forward(after.pause - 2*time.Second)
		if _, err := src.Token(t.Context()); err == nil || s.count() != 1 {
			t.Errorf("%s: got %v and %d requests before its time, want 1", rule, err, s.count())
		}
		s.answers(nil)
		clock2.forward(3 * time.Second)
		want(t, src, rule, "token-2")
	}
}

func TestAServerThatIsDownIsAnOutage(t *testing.T) {
	src, s, _, _ := setup(t)
	s.Close()
	_, err := src.Token(t.Context())
	if e := guard.Public(err); e.Kind != guard.Unavailable || e.Code != "token_unavailable" || shows(err) {
		t.Errorf("got %v, want token_unavailable", err)
	}
}

// Time is that of the bubble, so the server is a transport here.
func TestASlowServerCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`))}, nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		src := clientcredentials.New("https://login.example/token", "orders", secrets.New(&vault{value: "hunter2"}), "x", clientcredentials.Via(slow))
		want(t, src, "the first", "token-1")
		time.Sleep(55 * time.Minute)

		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer cancel()
		token, err := src.Token(ctx)
		if took := time.Since(began); err != nil || token.Text() != "token-1" || took != 300*time.Millisecond {
			t.Errorf("got %q, %v after %v, want the old token at half of the time", token.Text(), err, took)
		}
		began = time.Now()
		want(t, src, "in the pause", "token-1")
		if took := time.Since(began); took != 0 || n != 2 {
			t.Errorf("got a wait of %v and %d requests in the pause, want none", took, n)
		}
		time.Sleep(2 * time.Second)
		began = time.Now()
		want(t, src, "after the pause", "token-1")
		if took := time.Since(began); took != time.Second {
			t.Errorf("got a wait of %v, want 1s", took)
		}
		time.Sleep(10 * time.Minute)
		began = time.Now()
		_, err = src.Token(t.Context())
		if took := time.Since(began); guard.KindOf(err) != guard.Unavailable || took != 5*time.Second {
			t.Errorf("got %v after %v without a token, want token_unavailable after 5s", err, took)
		}
	})
}

// Callers without time do not make the server look down for one that has it.
func TestCallersInAHurryAreNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			n++
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(500 * time.Millisecond):
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, n)))}, nil
			}
		})
		src := clientcredentials.New("https://login.example/token", "orders", secrets.New(&vault{value: "hunter2"}), "x", clientcredentials.Via(slow))
		began := time.Now()
		want(t, src, "the first", "token-1")
		time.Sleep(59 * time.Minute)
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			if token, err := src.Token(ctx); err != nil || token.Text() != "token-1" {
				t.Errorf("got %q, %v, want token-1", token.Text(), err)
			}
			cancel()
			time.Sleep(1200 * time.Millisecond)
		}
		time.Sleep(time.Until(began.Add(59*time.Minute + 51*time.Second)))
		want(t, src, "as it has expired", "token-22")
	})
}

func TestARotatedSecretIsReadAgainOnce(t *testing.T) {
	for rule, refusal := range map[string]func(http.ResponseWriter, *http.Request, int){
		"401":            fails(401, `quoted`),
		"invalid_client": fails(400, `{"error":"invalid_client","error_description":"quoted hunter2"}`),
	} {
		src, s, v, clock := setup(t)
		want(t, src, rule, "token-1")
		clock.forward(2 * time.Hour)
		v.set("hunter3", nil)
		s.answers(func(w http.ResponseWriter, r *http.Request, n int) {
			if _, secret, _ := r.BasicAuth(); secret != "hunter3" {
				refusal(w, r, n)
				return
			}
			issue(w, n, 3600)
		})
		want(t, src, rule, "token-3")

		// A secret that is wrong for good is not tried for ever.
		clock.forward(2 * time.Hour)
		s.answers(refusal)
		asked := s.count()
		for range 10 {
			_, err := src.Token(t.Context())
			if e := guard.Public(err); e.Kind != guard.Internal || e.Code != "token_refused" || shows(err) || !errors.Is(err, secrets.ErrRejected) {
				t.Fatalf("%s: got %v, want token_refused", rule, err)
			}
		}
		if n := s.count() - asked; n != 1 {
			t.Errorf("%s: got %d requests with a wrong secret, want 1", rule, n)
		}
	}
}

func TestWithoutASecretNothingIsAsked(t *testing.T) {
	src, s, v, _ := setup(t)
	v.set("", secrets.ErrDenied)
	_, err := src.Token(t.Context())
	if s.count() != 0 || !errors.Is(err, secrets.ErrDenied) || guard.Public(err).Code != "secret_denied" {
		t.Errorf("got %v and %d requests, want secret_denied", err, s.count())
	}
}

// SECURITY: Nothing leaks.
func TestJunkIsRefused(t *testing.T) {
	json := func(status int, body string) func(http.ResponseWriter, *http.Request, int) {
		return fails(status, body)
	}
	for _, tc := range []struct {
		rule, want string
		answer     func(http.ResponseWriter, *http.Request, int)
	}{
		{rule: "10 MB", want: "64 kB", answer: json(200, `{"access_token":"token-1","token_type":"Bearer","x":"`+strings.Repeat("quoted", 10<<20/6)+`"}`)},
		{rule: "10 MB of an error", want: "64 kB", answer: json(400, strings.Repeat("quoted", 10<<20/6))},
		{rule: "no JSON", want: "malformed", answer: json(200, "<html>quoted</html>")},
		{rule: "another type", want: "application/json", answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer"}`)
		}},
		{rule: "nothing", want: "malformed", answer: json(200, "")},
		{rule: "an array", want: "malformed", answer: json(200, `[]`)},
		{rule: "two tokens", want: "malformed", answer: json(200, `{"access_token":"token-1","access_token":"token-2","token_type":"Bearer"}`)},
		{rule: "a token in another case", want: "malformed", answer: json(200, `{"access_token":"token-1","ACCESS_TOKEN":"token-2","token_type":"Bearer"}`)},
		{rule: "more after it", want: "malformed", answer: json(200, `{"access_token":"token-1","token_type":"Bearer"}{}`)},
		{rule: "a token that is a number", want: "malformed", answer: json(200, `{"access_token":1,"token_type":"Bearer"}`)},
		{rule: "no token", want: "access_token", answer: json(200, `{"token_type":"Bearer"}`)},
		{rule: "a line break", want: "access_token", answer: json(200, `{"access_token":"token-1\r\nX-Evil: 1","token_type":"Bearer"}`)},
		{rule: "not ASCII", want: "access_token", answer: json(200, `{"access_token":"token-ü","token_type":"Bearer"}`)},
		{rule: "no type", want: "token_type", answer: json(200, `{"access_token":"token-1"}`)},
		{rule: "a type that is signed", want: "token_type", answer: json(200, `{"access_token":"token-1","token_type":"DPoP"}`)},
		{rule: "a negative life", want: "expires_in", answer: json(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":-1}`)},
		{rule: "no life", want: "expires_in", answer: json(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":0}`)},
		{rule: "a life in words", want: "expires_in", answer: json(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":"1h"}`)},
		{rule: "a life that is a list", want: "expires_in", answer: json(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":[60]}`)},
		{rule: "an error with status 200", want: "access_token", answer: json(200, `{"error":"quoted"}`)},
		{rule: "a known error", want: "invalid_scope", answer: json(400, `{"error":"invalid_scope","error_description":"quoted"}`)},
		{rule: "an unknown error", want: "400", answer: json(400, `{"error":"quoted hunter2"}`)},
		{rule: "no page", want: "404", answer: json(404, `quoted`)},
		{rule: "no content", want: "204", answer: func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(204) }},
		{rule: "created", want: "201", answer: json(201, `{"access_token":"token-1","token_type":"Bearer"}`)},
	} {
		src, s, _, _ := setup(t)
		s.answers(tc.answer)
		_, err := src.Token(t.Context())
		e := guard.Public(err)
		if err == nil || e.Kind != guard.Internal || e.Code != "token_refused" || !strings.Contains(err.Error(), tc.want) || shows(err) {
			t.Errorf("%s: got %v, want token_refused and %q", tc.rule, err, tc.want)
		}
	}
}

// The errors of net/http quote what they cannot read.
//
// SECURITY: Nothing leaks.
func TestAServerThatSendsTheSecretBackDoesNotGetItIntoAnError(t *testing.T) {
	for _, answer := range []string{
		"%s\r\n\r\n",
		"HTTP/1.1 %s\r\n\r\n",
		"HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: %[1]s\r\n\r\n%[1]s\r\n",
	} {
		src, s, _, _ := setup(t)
		quoted := ""
		s.answers(func(w http.ResponseWriter, r *http.Request, _ int) {
			_, quoted, _ = strings.Cut(r.Header.Get("Authorization"), " ")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprintf(conn, answer, quoted)
			_ = conn.Close()
		})
		_, err := src.Token(t.Context())
		if err == nil || shows(err) || quoted == "" || strings.Contains(err.Error(), quoted) {
			t.Errorf("%q: got %v, want an error without %s", answer, err, quoted)
		}
	}
}

func TestWhyAServerCannotBeReachedIsSaid(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, want: "dial tcp: connection refused"},
		{err: &net.DNSError{Err: "no such host", Name: "login.example", IsNotFound: true}, want: "lookup login.example: no such host"},
		{err: fmt.Errorf("quoted: %w", io.ErrUnexpectedEOF), want: "unexpected EOF"},
		{err: x509.UnknownAuthorityError{}, want: "an x509.UnknownAuthorityError, whose text may be the server's"},
	} {
		src := clientcredentials.New("https://login.example/token", "orders", secrets.New(&vault{value: "hunter2"}), "x",
			clientcredentials.Via(roundTrip(func(*http.Request) (*http.Response, error) { return nil, tc.err })))
		_, err := src.Token(t.Context())
		if inner := errors.Unwrap(tc.err); inner != nil && !errors.Is(err, inner) || !strings.HasSuffix(err.Error(), tc.want) || shows(err) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}

// SECURITY: Sent to listed hosts alone.
func TestARedirectOfTheEndpointIsNotFollowed(t *testing.T) {
	src, s, _, _ := setup(t)
	evil := newServer(t)
	s.answers(func(w http.ResponseWriter, r *http.Request, _ int) {
		http.Redirect(w, r, evil.URL, http.StatusPermanentRedirect)
	})
	if _, err := src.Token(t.Context()); err == nil || evil.count() != 0 || !strings.Contains(err.Error(), "308") {
		t.Errorf("got %v, and %d requests elsewhere", err, evil.count())
	}
}

func TestAMisconfiguredSourcePanics(t *testing.T) {
	cache := secrets.New(&vault{})
	for rule, make := range map[string]func(){
		"plain HTTP":          func() { clientcredentials.New("http://login.example/token", "a", cache, "b") },
		"no URL":              func() { clientcredentials.New("token", "a", cache, "b") },
		"a user":              func() { clientcredentials.New("https://a:b@login.example/token", "a", cache, "b") },
		"a fragment":          func() { clientcredentials.New("https://login.example/token#x", "a", cache, "b") },
		"no client id":        func() { clientcredentials.New("https://login.example/token", "", cache, "b") },
		"no secret":           func() { clientcredentials.New("https://login.example/token", "a", cache, "") },
		"no cache":            func() { clientcredentials.New("https://login.example/token", "a", nil, "b") },
		"scopes in one":       func() { clientcredentials.Scopes("a b") },
		"no audience":         func() { clientcredentials.Audience("") },
		"a relative resource": func() { clientcredentials.Resource("/stock") },
		"a resource's place":  func() { clientcredentials.Resource("https://stock.example/#a") },
		"no transport":        func() { clientcredentials.Via(nil) },
		"no hosts":            func() { clientcredentials.New("https://login.example/token", "a", cache, "b").Transport(nil) },
		"a URL as a host": func() {
			clientcredentials.New("https://login.example/token", "a", cache, "b").Transport(nil, "https://x")
		},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "clientcredentials: ") {
					t.Errorf("%s: got %q, want a panic", rule, text)
				}
			}()
			make()
		}()
	}
}
