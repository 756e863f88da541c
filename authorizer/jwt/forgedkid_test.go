package jwt_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

// expectLater expects that a token is not judged now, and is accepted after the
// time that the error names.
func expectLater(t *testing.T, v *jwt.Verifier, clock *testClock, when, token string, atMost time.Duration) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	retry := guard.Public(err).RetryAfter
	if codeOf(err) != outage || retry <= 0 || retry > atMost {
		t.Fatalf("%s: got %v, again after %v; want %s, again within %v", when, err, retry, outage, atMost)
	}
	clock.move(retry)
	expectCode(t, v, when+", when it may be asked for", token, "")
}

// Anybody can make up kids. They use up what the issuer may be asked, and no
// more: that a token's kid was not asked for does not make it a bad one.
func TestMadeUpKidsDoNotMakeATokenOfANewKeyABadOne(t *testing.T) {
	for _, n := range []int{2, 3, 50} {
		a, b, forged := newEC("a"), newEC("b"), newEC("")
		s := newKeyServer(t, serve(jwks(a), "max-age=86400"))
		v, clock := remote(t, s)
		expectCode(t, v, "at first", a.token(lasting()), "")
		for i := range n {
			_, err := v.Verify(t.Context(), forged.sign(fmt.Sprintf(`{"alg":"ES256","kid":"made-up-%d"}`, i), lasting()))
			if err == nil {
				t.Fatal("a forged token is accepted")
			}
		}
		s.answers(serve(jwks(a, b)))
		before := s.count(keyPath)
		if before > 1+2 {
			t.Errorf("%d made-up kids cost %d requests, want 2 at most", n, before-1)
		}
		expectLater(t, v, clock, "the new key", b.token(lasting()), 10*time.Second)
		s.expect(t, "the new key", before+1)
	}
}

func TestAKidThatWasSentBeforeItsKeyIsThereIsAskedForAgain(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a), "max-age=86400"))
	v, clock := remote(t, s)
	expectCode(t, v, "at first", a.token(lasting()), "")
	expectCode(t, v, "forged, and early", newEC("b").token(lasting()), "token_unknown_key")
	s.answers(serve(jwks(a, b)))
	expectLater(t, v, clock, "the key that is there now", b.token(lasting()), 10*time.Second)
	s.expect(t, "in all", 3)
}

func TestMadeUpKidsDoNotMakeATokenOfALoadBalancerABadOne(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, clock := started(c)
	header := func(kid string) string {
		return balancerHeader(map[string]any{"kid": kid, "exp": now.Unix() + 360_000})
	}
	good := k.padded(header(balancerKid), userClaims)
	forge := func(kid string) {
		t.Helper()
		if _, err := v.Verify(t.Context(), newEC("").padded(header(kid), userClaims)); err == nil {
			t.Fatal("a forged token is accepted")
		}
	}
	for i := range 5 {
		forge(fmt.Sprintf("%08x-0000-0000-0000-000000000000", i))
	}
	n.put(balancerURI+balancerKid, k.pem())
	expectLater(t, v, clock, "after made-up kids", good, time.Second)

	v, clock = started(c)
	n.drop(balancerURI + balancerKid)
	forge(balancerKid)
	n.put(balancerURI+balancerKid, k.pem())
	expectLater(t, v, clock, "after its own kid, sent early", good, time.Second)
}

func TestAnAuthorizerDeniesNoTokenWhoseKidWasNotAskedFor(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a)))
	v, _ := remote(t, s)
	h := authorizer.Simple(authorizer.Bearer(v))
	invoke := func(k signingKey) (string, error) {
		out, err := h.Invoke(t.Context(), gatewayEvent(k.token(endless(nil))))
		return string(out), err
	}
	if out, err := invoke(a); err != nil || out == `{"isAuthorized":false}` {
		t.Fatalf("at first: got %s, %v; want a grant", out, err)
	}
	for _, kid := range []string{"x", "y"} {
		if out, err := invoke(newEC(kid)); err != nil || out != `{"isAuthorized":false}` {
			t.Fatalf("forged: got %s, %v; want a denial", out, err)
		}
	}
	if out, err := invoke(newEC("z")); err == nil {
		t.Errorf("a third kid: got %s, want an error", out)
	}
	s.answers(serve(jwks(a, b)))
	if out, err := invoke(b); err == nil {
		t.Errorf("a new key: got %s, want an error that no gateway keeps", out)
	}
}
