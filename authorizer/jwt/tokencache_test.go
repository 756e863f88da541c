package jwt_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// caching returns a verifier of the server's keys that keeps so many tokens.
func caching(t testing.TB, s *keyServer, tokens int) (*jwt.Verifier, *testClock) {
	return started(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(s.URL + keyPath), HTTPClient: s.Client(), CacheTokens: tokens,
	})
}

func TestACachedTokenIsTheSameGrant(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k)))
	for name, c := range map[string]struct {
		tokens int
		same   bool
	}{"asked for": {tokens: 10, same: true}, "not asked for": {tokens: 0, same: false}} {
		v, _ := caching(t, s, c.tokens)
		for _, length := range []int{0, 1000, 2000, 10000} {
			token := k.token(claims(map[string]any{"x": strings.Repeat("x", length)}))
			first, err := v.Verify(t.Context(), token)
			second, err2 := v.Verify(t.Context(), token)
			if err != nil || err2 != nil || (first == second) != c.same {
				t.Errorf("%s: got %v and %v, the same grant: %v, want %v", name, err, err2, first == second, c.same)
			}
			expectCode(t, v, "longer than any", token+strings.Repeat("A", 16<<10), "token_too_large")
		}
	}
}

func TestWhatEndsTheCachingOfAToken(t *testing.T) {
	k := newEC("a")
	other := newEC("b")
	for name, c := range map[string]struct {
		exp  time.Duration
		wait time.Duration
		keys []byte
		code string
	}{
		"exp":                              {exp: 4 * time.Minute, wait: 4 * time.Minute, keys: jwks(k), code: "token_expired"},
		"a clock that is before":           {exp: time.Hour, wait: -time.Minute, keys: jwks(k)},
		"its key, when the set is renewed": {exp: time.Hour, wait: 5 * time.Minute, keys: jwks(other), code: "token_unknown_key"},
		"its key, which is another one": {
			exp:  time.Hour,
			wait: 5 * time.Minute,
			keys: jwks(newEC("a")),
			code: "token_signature",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newKeyServer(t, serve(jwks(k), "max-age=300"))
			v, clock := caching(t, s, 10)
			token := k.token(claims(map[string]any{"exp": now.Add(c.exp).Unix(), "iat": nil}))
			for range 2 {
				expectCode(t, v, "at first", token, "")
			}
			s.answers(serve(c.keys))
			clock.move(c.wait)
			expectCode(t, v, "then", token, c.code)
		})
	}
}

// What is kept lasts no longer than the set, however short it was.
func TestASetThatIsOldEndsTheCachingOfAToken(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k), "max-age=300"))
	v, clock := caching(t, s, 10)
	expectCode(t, v, "at first", k.token(lasting()), "")
	clock.move(5*time.Minute - time.Second)
	token := k.token(claims(nil))
	expectCode(t, v, "a second before", token, "")
	s.answers(serve(jwks(newEC("b"))))
	expectCode(t, v, "a second before, again", token, "")
	s.expect(t, "a second before", 1)
	clock.move(time.Second)
	expectCode(t, v, "then", token, "token_unknown_key")
	s.expect(t, "then", 2)
}

// A set that another kid has caused to be renewed counts at once.
func TestAKeyThatIsRemovedByTheWayEndsTheCachingOfAToken(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	for code, keys := range map[string][]byte{
		"token_unknown_key": jwks(b),
		"token_signature":   jwks(newEC("a"), b), // another one of the same name
		"":                  jwks(a, b),
	} {
		s := newKeyServer(t, serve(jwks(a), "max-age=86400"))
		v, _ := caching(t, s, 10)
		token := a.token(claims(nil))
		expectCode(t, v, "before", token, "")
		s.answers(serve(keys))
		expectCode(t, v, "the other", b.token(claims(nil)), "")
		expectCode(t, v, "after", token, code)
	}
}

func TestATokenIsCachedForFiveMinutes(t *testing.T) {
	k := newEC("a")
	c := config(k)
	c.CacheTokens = 10
	v, clock := started(c)
	token := k.token(claims(nil))
	first := must(v.Verify(t.Context(), token))
	clock.move(5*time.Minute - time.Second)
	if got := must(v.Verify(t.Context(), token)); got != first {
		t.Error("it was forgotten before")
	}
	clock.move(time.Second)
	if got := must(v.Verify(t.Context(), token)); got == first {
		t.Error("it is kept still, though it was used meanwhile")
	}
	issued := k.token(claims(map[string]any{"iat": clock.now().Unix()}))
	expectCode(t, v, "when it is issued", issued, "")
	clock.move(-6 * time.Second)
	expectCode(t, v, "when the clock is set back to before", issued, "unavailable/token_not_yet_valid")
}

func TestACacheIsBoundedAndGoesOnWhenItIsFull(t *testing.T) {
	k := newEd("a")
	c := config(k)
	c.CacheTokens = 100
	v := verifier(t, c)
	for i := range 1000 {
		token := k.token(claims(map[string]any{"jti": fmt.Sprint(i)}))
		if first := must(v.Verify(t.Context(), token)); must(v.Verify(t.Context(), token)) != first {
			t.Fatalf("token %d is not kept", i)
		}
		if got, want := v.CachedTokens(), i%100+1; got != want {
			t.Fatalf("got %d tokens after %d, want %d", got, i+1, want)
		}
	}
}

func TestOnlyWhatWasVerifiedIsCached(t *testing.T) {
	k := newEC("a")
	c := config(k)
	c.CacheTokens = 10
	v := verifier(t, c)
	token := k.token(claims(nil))
	for i := range token {
		if _, err := v.Verify(t.Context(), flipped(token, i)); err == nil {
			t.Fatalf("accepted with another character at %d", i)
		}
	}
	if got := v.CachedTokens(); got != 0 {
		t.Errorf("%d bad tokens are kept", got)
	}
	expectCode(t, v, "the token itself", token, "")
	for i := range token {
		if _, err := v.Verify(t.Context(), flipped(token, i)); err == nil {
			t.Fatalf("accepted with another character at %d, once it was kept", i)
		}
	}
}

func TestACacheIsSharedByMany(t *testing.T) {
	k := newEd("a")
	c := config(k)
	c.CacheTokens = 8
	v := verifier(t, c)
	var tokens []string
	for i := range 32 {
		tokens = append(tokens, k.token(claims(map[string]any{"sub": fmt.Sprint(i)})))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 256 {
				grant, err := v.Verify(t.Context(), tokens[i%32])
				if err != nil || grant.Principal != fmt.Sprint(i%32) {
					t.Errorf("got %+v, %v; want the grant of %d", grant, err, i%32)
				}
			}
		})
	}
	all.Wait()
}
