package clientcredentials_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
)

// resource is the other service. It takes one token, and answers the body.
type resource struct {
	*httptest.Server
	mu    sync.Mutex
	takes string
	asked int
}

func newResource(t *testing.T, takes string) *resource {
	t.Helper()
	r := &resource{takes: takes}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *resource) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.asked++
	takes := r.takes
	r.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	if got := req.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer "+takes {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "refused")
		return
	}
	_, _ = w.Write(body)
}

func (r *resource) take(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.takes = token
}

func (r *resource) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// stream is a body without GetBody.
type stream struct {
	io.Reader
	closed bool
}

func (s *stream) Close() error { s.closed = true; return nil }

func post(t *testing.T, c *http.Client, url string, body io.Reader) (status int, answer string) {
	t.Helper()
	res, err := c.Post(url, "text/plain", body)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(text)
}

func TestARejectedTokenIsReplacedAndTheRequestSentOnceMore(t *testing.T) {
	for _, tc := range []struct {
		rule       string
		takes      string
		body       func() io.Reader
		status     int
		answer     string
		sent       int
		tokensMade int
	}{
		{rule: "a token that is taken", takes: "token-1", body: func() io.Reader { return strings.NewReader("hello") }, status: 200, answer: "hello", sent: 1, tokensMade: 1},
		{rule: "one that was revoked", takes: "token-2", body: func() io.Reader { return strings.NewReader("hello") }, status: 200, answer: "hello", sent: 2, tokensMade: 2},
		{rule: "without a body", takes: "token-2", body: func() io.Reader { return nil }, status: 200, sent: 2, tokensMade: 2},
		{rule: "a body that cannot be sent again", takes: "token-2", body: func() io.Reader { return &stream{Reader: strings.NewReader("hello")} }, status: 401, answer: "refused", sent: 1, tokensMade: 1},
		{rule: "a service that takes none", takes: "none", body: func() io.Reader { return strings.NewReader("hello") }, status: 401, answer: "refused", sent: 2, tokensMade: 2},
	} {
		src, s, _, _ := setup(t)
		r := newResource(t, tc.takes)
		client := &http.Client{Transport: src.Transport(nil, "127.0.0.1")}
		status, answer := post(t, client, r.URL, tc.body())
		if status != tc.status || answer != tc.answer || r.count() != tc.sent || s.count() != tc.tokensMade {
			t.Errorf("%s: got %d %q, %d requests and %d tokens; want %d %q, %d and %d",
				tc.rule, status, answer, r.count(), s.count(), tc.status, tc.answer, tc.sent, tc.tokensMade)
		}
	}
}

// The text of an answer that is thrown away may never end.
func TestAnAnswerThatNeverEndsDelaysNoOther(t *testing.T) {
	src, _, _, _ := setup(t)
	n := 0
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		if n++; n > 1 {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}
		body, w := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = w.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: 401, Body: body}, nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", "https://api.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := src.Transport(base, "api.example").RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if ctx.Err() != nil || res.StatusCode != 200 {
		t.Errorf("got %d and %v, want 200 in time", res.StatusCode, ctx.Err())
	}
}

// A server may keep its tokens too.
func TestTheSameTokenIsNotTriedTwice(t *testing.T) {
	src, s, _, _ := setup(t)
	s.answers(func(w http.ResponseWriter, _ *http.Request, _ int) { issue(w, 1, 3600) })
	r := newResource(t, "none")
	if status, answer := post(t, &http.Client{Transport: src.Transport(nil, "127.0.0.1")}, r.URL, nil); status != 401 || answer != "refused" || r.count() != 1 {
		t.Errorf("got %d %q after %d requests, want the answer to one", status, answer, r.count())
	}
}

func TestAServiceThatRefusesEveryTokenCostsFewTokens(t *testing.T) {
	src, s, _, clock := setup(t)
	r := newResource(t, "none")
	client := &http.Client{Transport: src.Transport(nil, "127.0.0.1")}
	for range 100 {
		if status, answer := post(t, client, r.URL, nil); status != 401 || answer != "refused" {
			t.Fatalf("got %d %q, want the answer of the service", status, answer)
		}
	}
	if n := s.count(); n != 3 {
		t.Errorf("got %d tokens, want the first and two more", n)
	}
	clock.forward(10 * time.Second)
	_, _ = post(t, client, r.URL, nil)
	_, _ = post(t, client, r.URL, nil)
	if n := s.count(); n != 4 {
		t.Errorf("got %d tokens after 10s, want one more than 3", n)
	}
}

// A token that one service rejects still serves the others in an outage.
func TestARejectedTokenIsKeptUntilThereIsAnother(t *testing.T) {
	src, s, _, _ := setup(t)
	fussy, easy := newResource(t, "token-9"), newResource(t, "token-1")
	client := &http.Client{Transport: src.Transport(nil, "127.0.0.1")}
	_, _ = post(t, client, easy.URL, nil)
	s.answers(fails(503, ""))
	if status, _ := post(t, client, fussy.URL, nil); status != 401 {
		t.Errorf("got %d, want the 401 of the service", status)
	}
	if status, _ := post(t, client, easy.URL, nil); status != 200 {
		t.Errorf("got %d, want the other service served", status)
	}
}

func TestManyWithARevokedTokenFetchOne(t *testing.T) {
	src, s, _, _ := setup(t)
	r := newResource(t, "token-1")
	client := &http.Client{Transport: src.Transport(nil, "127.0.0.1")}
	_, _ = post(t, client, r.URL, nil)
	r.take("token-2")
	var done sync.WaitGroup
	for i := range 64 {
		done.Go(func() {
			want := fmt.Sprint("body ", i)
			if status, answer := post(t, client, r.URL, strings.NewReader(want)); status != 200 || answer != want {
				t.Errorf("got %d %q, want %q", status, answer, want)
			}
		})
	}
	done.Wait()
	if n := s.count(); n != 2 {
		t.Errorf("got %d tokens, want 2", n)
	}
}

// SECURITY: Sent to listed hosts alone.
func TestATokenGoesNowhereElse(t *testing.T) {
	src, s, _, _ := setup(t)
	evil := newResource(t, "")
	elsewhere := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	mux := http.NewServeMux()
	mux.Handle("/away", http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	mux.HandleFunc("/same", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/home", http.StatusTemporaryRedirect)
	})
	mux.Handle("/home", newResource(t, "token-1"))
	server := httptest.NewServer(mux)
	defer server.Close()
	client := &http.Client{Transport: src.Transport(nil, "127.0.0.1", "api.example")}
	if status, answer := post(t, client, server.URL+"/same", strings.NewReader("hello")); status != 200 || answer != "hello" {
		t.Errorf("got %d %q for a redirect to the same host, want hello", status, answer)
	}
	request := func(url string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	authorized := request(server.URL)
	authorized.Header.Set("Authorization", "Basic x")
	lower := request(server.URL)
	lower.Header["authorization"] = []string{"Basic x"}
	virtual := request(server.URL)
	virtual.Host = "evil.example" // another customer of the same gateway or CDN
	for rule, r := range map[string]*http.Request{
		"a redirect": request(server.URL + "/away"), "another host": request(elsewhere),
		"plain HTTP": request("http://api.example/"), "another credential": authorized, "one in lower case": lower,
		"another host in the header": virtual,
	} {
		res, err := client.Do(r)
		if err == nil {
			_ = res.Body.Close()
			t.Errorf("%s: got %d, want an error", rule, res.StatusCode)
		} else if !strings.Contains(err.Error(), "clientcredentials: ") {
			t.Errorf("%s: got %v", rule, err)
		}
	}
	if evil.count() != 0 || s.count() != 1 {
		t.Errorf("got %d requests elsewhere and %d tokens, want none and 1", evil.count(), s.count())
	}
}

// Who can register the other name gets a valid certificate for it.
//
// SECURITY: Sent to listed hosts alone.
func TestATokenGoesToNoNameThatLooksLikeAHost(t *testing.T) {
	src, _, _, _ := setup(t)
	for _, url := range []string{"https://ap%C4%B0.example/", "https://a.%C4%B0nternal.example/", "http://[::1%25a.internal.example]/"} {
		dialled := ""
		base := &http.Transport{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("not here")
		}}
		r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := src.Transport(base, "api.example", "*.internal.example").RoundTrip(r)
		if err == nil {
			_ = res.Body.Close()
		}
		if dialled != "" || err == nil || !strings.Contains(err.Error(), "host that Transport was not made for") {
			t.Errorf("%s: got %v and a connection to %q, want none", url, err, dialled)
		}
	}
}

func TestARequestWithoutAURLIsRefused(t *testing.T) {
	src, _, _, _ := setup(t)
	if _, err := src.Transport(nil, "127.0.0.1").RoundTrip(&http.Request{}); err == nil {
		t.Error("got no error")
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	src, s, _, _ := setup(t)
	s.answers(fails(503, ""))
	r := newResource(t, "")
	body := &stream{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.Transport(nil, "127.0.0.1").RoundTrip(req)
	if e, ok := errors.AsType[*guard.Error](err); !ok || e.Code != "token_unavailable" || r.count() != 0 || !body.closed {
		t.Errorf("got %v, %d requests, closed %t; want token_unavailable", err, r.count(), body.closed)
	}
	if req.Header.Get("Authorization") != "" {
		t.Error("the request was changed")
	}
}

// SECURITY: Nothing leaks.
func TestATokenIsNotShown(t *testing.T) {
	src, _, _, _ := setup(t)
	token, err := src.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	around := struct{ token any }{token}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		_, _ = fmt.Fprintf(&shown, verb+verb+verb, token, &token, around)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "token", token, "around", around)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "token", token, "around", around)
	for _, encode := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		text, err := encode(token)
		if err != nil {
			t.Error(err)
		}
		shown.Write(text)
	}
	_, _ = fmt.Fprintf(&shown, "%#v %+v", src, src)
	hex := fmt.Sprintf("%x", "token-1")
	if strings.Contains(shown.String(), "token-1") || strings.Contains(shown.String(), hex) || strings.Contains(shown.String(), "hunter2") {
		t.Errorf("shown: %s", shown.String())
	}
	if token.Text() != "token-1" || (clientcredentials.Token{}).Text() != "" {
		t.Errorf("got %q, want token-1", token.Text())
	}
}
