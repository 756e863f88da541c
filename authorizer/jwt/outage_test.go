package jwt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

func TestAnOutageServesKnownKeysForADay(t *testing.T) {
	a := newEC("a")
	s := newKeyServer(t, serve(jwks(a), "max-age=600"))
	v, clock := remote(t, s)
	expectCode(t, v, "before", a.token(lasting()), "")
	s.answers(fail)
	expectCode(t, v, "fresh", a.token(lasting()), "")
	s.expect(t, "fresh", 1)
	clock.set(10 * time.Minute)
	expectCode(t, v, "aged", a.token(lasting()), "")
	expectCode(t, v, "aged, forged", newEC("a").token(lasting()), "token_signature")
	s.expect(t, "aged", 2)
	expectCode(t, v, "a kid that may be a new one", newEC("b").token(lasting()), outage)
	expectCode(t, v, "one that has expired in any case", newEC("b").token(claims(map[string]any{"exp": now.Unix()})), "token_expired")
	clock.set(24*time.Hour - time.Second)
	expectCode(t, v, "a second before the end", a.token(lasting()), "")
	clock.set(24 * time.Hour)
	expectCode(t, v, "after a day", a.token(lasting()), outage)
	clock.move(time.Minute)
	s.answers(serve(jwks(a)))
	expectCode(t, v, "when it is over", a.token(lasting()), "")
}

func TestFailuresBackOff(t *testing.T) {
	a := newEC("a")
	s := newKeyServer(t, fail)
	v, clock := remote(t, s)
	token := a.token(lasting())
	var at []int
	for second := range 120 {
		before := s.count(keyPath)
		for range 10 {
			expectCode(t, v, "in the outage", token, outage)
		}
		if got := s.count(keyPath); got > before {
			at = append(at, second)
		}
		clock.move(time.Second)
	}
	if got, want := fmt.Sprint(at), "[0 1 3 7 15 31 61 91]"; got != want {
		t.Errorf("asked in the seconds %s, want %s", got, want)
	}
	s.expect(t, "in two minutes", 8)
	s.answers(serve(jwks(a)))
	clock.move(time.Minute)
	expectCode(t, v, "afterwards", token, "")

	// The next outage begins from the start.
	s.answers(fail)
	clock.move(24 * time.Hour)
	for range 2 {
		expectCode(t, v, "in the next outage", token, outage)
		clock.move(time.Second)
	}
	s.expect(t, "in the next outage", 8+1+2)
}

// A set without keys is an answer: its issuer has taken them all back.
func TestASetWithoutKeysEndsTheTrustInTheOldOnes(t *testing.T) {
	a := newEC("a")
	s := newKeyServer(t, serve(jwks(a), "max-age=600"))
	v, clock := remote(t, s)
	expectCode(t, v, "before", a.token(lasting()), "")
	s.answers(serve([]byte(`{"keys":[]}`)))
	clock.move(10 * time.Minute)
	expectCode(t, v, "after", a.token(lasting()), outage)
}

// An error in JSON is no answer, even with status 200.
func TestAnAnswerWithoutASetIsAnOutage(t *testing.T) {
	a := newEC("a")
	for _, body := range []string{`{}`, `{"message":"slow down"}`, `{"keys":null}`, string(must(json.Marshal(a.jwk(nil))))} {
		s := newKeyServer(t, serve(jwks(a), "max-age=600"))
		v, clock := remote(t, s)
		expectCode(t, v, "before", a.token(lasting()), "")
		s.answers(serve([]byte(body)))
		clock.move(10 * time.Minute)
		expectCode(t, v, body, a.token(lasting()), "")
		s.expect(t, body, 2)
	}
}

// A slowInternet is one that answers nobody in time, once it is slow.
type slowInternet struct {
	*internet
	slow atomic.Bool
}

func (n *slowInternet) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.internet.RoundTrip(r)
	if n.slow.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return resp, err
}

// Where who waits has less time than the issuer takes, known keys are used
// without each of them waiting in vain.
func TestAnIssuerThatIsTooSlowIsHeldBackLikeOneThatFails(t *testing.T) {
	const uri = issuer + keyPath
	a := newEC("a")
	n := &slowInternet{internet: newInternet(map[string][]byte{uri: jwks(a)})}
	c := jwt.Config{Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(uri), HTTPClient: &http.Client{Transport: n}}
	v, clock := started(c)
	noTime, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	expectCode(t, v, "before", a.token(lasting()), "")
	n.slow.Store(true)
	clock.move(time.Hour)
	var at []int
	for second := range 10 {
		before := n.count(uri)
		for range 5 {
			if _, err := v.Verify(noTime, a.token(lasting())); err != nil {
				t.Errorf("while it is slow: got %v, want a grant by known keys", err)
			}
		}
		if n.count(uri) > before {
			at = append(at, second)
		}
		clock.move(time.Second)
	}
	if got, want := fmt.Sprint(at), "[0 1 3 7]"; got != want || n.count(uri) != 5 {
		t.Errorf("asked in the seconds %s, want %s, %d times", got, want, n.count(uri))
	}

	// Without keys there is nothing to go on with, and each has its try.
	v, _ = started(c)
	for range 2 {
		if _, err := v.Verify(noTime, a.token(lasting())); codeOf(err) != outage {
			t.Errorf("without keys: got %v, want an outage", err)
		}
	}
	n.slow.Store(false)
	expectCode(t, v, "at once", a.token(lasting()), "")
}

// A key that may be a new one is not called unknown because its issuer was asked
// in vain, and is not to be asked again yet: a gateway would keep the denial.
func TestANewKeyIsNotCalledUnknownByWhomTheIssuerDoesNotAnswer(t *testing.T) {
	const uri = issuer + keyPath
	a, b := newEC("a"), newEC("b")
	n := newInternet(map[string][]byte{uri: jwks(a)})
	next := n.RoundTrip
	v, clock := started(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(uri),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) { return next(r) })},
	})
	expectCode(t, v, "before", a.token(lasting()), "")
	n.put(uri, nil)
	for second := range 120 {
		expectCode(t, v, fmt.Sprintf("in second %d of an outage", second), b.token(lasting()), outage)
		expectCode(t, v, "a key that is known", a.token(lasting()), "")
		clock.move(time.Second)
	}
	n.put(uri, jwks(a))
	clock.move(time.Minute)
	for range 2 {
		expectCode(t, v, "once there is an answer", b.token(lasting()), "token_unknown_key")
		clock.move(10 * time.Second)
	}

	// Nor because all who waited for the answer have left.
	n.put(uri, jwks(a, b))
	clock.move(time.Minute)
	before, begun, ended := n.count(uri), 0, 0
	for range 4 {
		ctx, leave := context.WithCancel(t.Context())
		next = func(r *http.Request) (*http.Response, error) {
			begun++
			leave()
			<-r.Context().Done()
			for range 100 {
				runtime.Gosched()
			}
			ended++
			return nil, r.Context().Err()
		}
		if _, err := v.Verify(ctx, b.token(lasting())); codeOf(err) != outage {
			t.Errorf("who left: got %v, want an outage", err)
		}
		if begun != ended {
			t.Error("a fetch goes on when nobody waits for it any more")
		}
		leave()
	}
	if begun != 2 { // as many as there are after a quiet time: to leave is no failure
		t.Errorf("got %d fetches for those who left, want 2", begun)
	}
	next = n.RoundTrip
	expectCode(t, v, "who stays", b.token(lasting()), outage)
	clock.move(10 * time.Second)
	expectCode(t, v, "who stays, ten seconds later", b.token(lasting()), "")
	if got := n.count(uri) - before; got != 1 {
		t.Errorf("%d answers", got)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// A transport of the caller's own can be broken. That is a failure like another:
// the process goes on, and so do known keys.
func TestATransportThatIsBrokenIsAnOutage(t *testing.T) {
	for name, broken := range map[string]transport{
		"a panic":          func(*http.Request) (*http.Response, error) { panic("secret text") },
		"a panic with nil": func(*http.Request) (*http.Response, error) { panic(nil) },
		"its goroutine's end": func(*http.Request) (*http.Response, error) {
			runtime.Goexit()
			return nil, nil
		},
		"neither answer nor error": func(*http.Request) (*http.Response, error) { return nil, nil },
		"an answer without a body": func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			const uri = issuer + keyPath
			a := newEC("a")
			working := newInternet(map[string][]byte{uri: jwks(a)})
			var next http.RoundTripper = working
			v, clock := started(jwt.Config{
				Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(uri),
				HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) { return next.RoundTrip(r) })},
			})
			expectCode(t, v, "before", a.token(lasting()), "")
			next = broken
			clock.move(time.Hour)
			expectCode(t, v, "a known key", a.token(lasting()), "")
			_, err := v.Verify(t.Context(), newEC("b").token(lasting()))
			if codeOf(err) != outage || strings.Contains(err.Error(), "secret") {
				t.Errorf("a key that may be a new one: got %v, want an outage without the panic's text", err)
			}
			next = working
			clock.move(time.Second)
			expectCode(t, v, "when it works", a.token(lasting()), "")
			if working.count(uri) != 2 {
				t.Errorf("got requests %v, want 2", working.asked)
			}
		})
	}
}
