package jwt_test

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

func TestKeysAreFetchedOnceForAllWhoWait(t *testing.T) {
	k := newEC("a")
	release := make(chan struct{})
	s := newKeyServer(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		serve(jwks(k))(w, r)
	})
	v, _ := remote(t, s)
	token := k.token(claims(nil))
	var waiting, all sync.WaitGroup
	for range 64 {
		waiting.Add(1)
		all.Go(func() {
			waiting.Done()
			expectCode(t, v, "at the start", token, "")
		})
	}
	waiting.Wait()
	close(release)
	all.Wait()
	s.expect(t, "at the start", 1)
	for range 100 {
		expectCode(t, v, "later", token, "")
	}
	s.expect(t, "later", 1)
}

func TestWhatIsRefusedAnywayIsNotWorthARequest(t *testing.T) {
	k := newEC("a")
	s := newKeyServer(t, serve(jwks(k)))
	v, _ := remote(t, s)
	for code, token := range map[string]string{
		"token_expired":   k.token(claims(map[string]any{"exp": now.Unix()})),
		"token_issuer":    k.token(claims(map[string]any{"iss": "https://other.example"})),
		"token_audience":  k.token(claims(map[string]any{"aud": "other"})),
		"token_type":      k.sign(`{"alg":"ES256","kid":"a","typ":"at+jwt"}`, claims(nil)),
		"token_algorithm": k.sign(`{"alg":"HS256","kid":"a"}`, claims(nil)),
		"token_malformed": k.token("{"),
	} {
		expectCode(t, v, "before any key", token, code)
	}
	s.expect(t, "before any key", 0)
}

func TestARotationIsSeenAtOnce(t *testing.T) {
	a, b := newEC("a"), newEd("b")
	s := newKeyServer(t, serve(jwks(a)))
	v, clock := remote(t, s)
	expectCode(t, v, "before", a.token(claims(nil)), "")
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "the new key", b.token(claims(nil)), "")
	expectCode(t, v, "the old key", a.token(claims(nil)), "")
	s.expect(t, "a rotation", 2)
	s.answers(serve(jwks(newEC("c"), b)))
	clock.move(10 * time.Second)
	expectCode(t, v, "a key that comes with a removal", newEC("c").token(claims(nil)), "token_signature")
	expectCode(t, v, "the key that went", a.token(claims(nil)), "token_unknown_key")
	s.expect(t, "a removal", 4)
}

// Without a kid only the algorithm shows that a token is signed with a key which
// is not known yet.
func TestARotationToAnotherAlgorithmIsSeenWithoutAKid(t *testing.T) {
	a, b := newEC(""), newEd("")
	s := newKeyServer(t, serve(jwksOf(a.jwk(map[string]any{"kid": nil}))))
	v, _ := remote(t, s)
	expectCode(t, v, "before", a.token(claims(nil)), "")
	s.answers(serve(jwksOf(a.jwk(map[string]any{"kid": nil}), b.jwk(map[string]any{"kid": nil}))))
	expectCode(t, v, "the new key", b.token(claims(nil)), "")
	expectCode(t, v, "the old key", a.token(claims(nil)), "")
	s.expect(t, "a rotation", 2)
}

func TestARemovedKeyIsTrustedForAsLongAsTheIssuerSays(t *testing.T) {
	for _, c := range []struct {
		name    string
		control []string
		age     string
		want    time.Duration
	}{
		{name: "max-age", control: []string{"public, max-age=600"}, want: 600 * time.Second},
		{name: "max-age in quotes", control: []string{`Max-Age="600"`}, want: 600 * time.Second},
		{name: "twice", control: []string{"max-age=600, max-age=86400", "max-age=7200"}, want: 600 * time.Second},
		{name: "with white space", control: []string{"public , max-age = 600 "}, want: 600 * time.Second},
		{name: "in a second header", control: []string{"public", "max-age=600"}, want: 600 * time.Second},
		{name: "what a cache has used up", control: []string{"max-age=3600"}, age: "1200", want: 40 * time.Minute},
		{name: "more than a cache may", control: []string{"max-age=3600"}, age: "7200", want: 5 * time.Minute},
		{name: "a second", control: []string{"max-age=1"}, want: 5 * time.Minute},
		{name: "nothing that is a number", control: []string{"max-age=soon"}, want: 5 * time.Minute},
		{name: "a negative number", control: []string{"max-age=-1"}, want: 5 * time.Minute},
		{name: "no-store", control: []string{"no-store"}, want: 5 * time.Minute},
		{name: "no-cache beside max-age", control: []string{"max-age=3600, no-cache"}, want: 5 * time.Minute},
		{name: "nothing", want: time.Hour},
		{name: "nothing of use", control: []string{"public, immutable"}, want: time.Hour},
		{name: "a day", control: []string{"max-age=86400"}, want: 23 * time.Hour},
		{name: "a number without an end", control: []string{"max-age=99999999999999999999999"}, want: 23 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := newEC("a"), newEC("b")
			s := newKeyServer(t, func(w http.ResponseWriter, r *http.Request) {
				if c.age != "" {
					w.Header().Set("Age", c.age)
				}
				serve(jwks(a), c.control...)(w, r)
			})
			v, clock := remote(t, s)
			expectCode(t, v, "at first", a.token(lasting()), "")
			s.answers(serve(jwks(b)))
			clock.set(c.want - time.Second)
			expectCode(t, v, "a second before", a.token(lasting()), "")
			s.expect(t, "a second before", 1)
			clock.set(c.want)
			expectCode(t, v, "then", a.token(lasting()), "token_unknown_key")
			s.expect(t, "then", 2)
		})
	}
}

func TestOneUnknownKidDoesNotLockARotationOut(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a), "max-age=86400"))
	v, clock := remote(t, s)
	expectCode(t, v, "at first", a.token(lasting()), "")
	bogus := newEC("bogus").token(lasting())
	for second := range 600 { // ten minutes of it
		want := outage
		if second%10 == 0 {
			want = "token_unknown_key"
		}
		expectCode(t, v, "bogus", bogus, want)
		clock.move(time.Second)
	}
	if got := s.count(keyPath); got != 1+60 {
		t.Errorf("%d requests in ten minutes of one unknown kid, want one in ten seconds", got)
	}
	expectCode(t, v, "bogus", bogus, "token_unknown_key")
	before := s.count(keyPath)
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "the new key, at the same moment", b.token(lasting()), "")
	s.expect(t, "the new key", before+1)
}

func TestManyUnknownKidsAreAskedForEveryTenSeconds(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a), "max-age=86400"))
	v, clock := remote(t, s)
	expectCode(t, v, "at first", a.token(lasting()), "")
	bogus := newEC("")
	requests := func() int { return s.count(keyPath) }
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			expectRefusedIfAsked(t, requests, v, bogus.sign(fmt.Sprintf(`{"alg":"ES256","kid":"bogus-%d"}`, i), lasting()))
			clock.move(100 * time.Millisecond)
		}
	}
	flood(0, 1000) // in 100 s
	if got := s.count(keyPath); got < 1+10 || got > 1+11 {
		t.Errorf("%d requests for 1000 unknown kids in 100 s", got)
	}
	s.answers(serve(jwks(a, b)))
	flood(1000, 1100)
	expectCode(t, v, "the new key, ten seconds later", b.token(lasting()), "")
}

// expectRefusedIfAsked expects that a token of an unknown kid is a bad one if
// the issuer was asked for it, and else not judged.
func expectRefusedIfAsked(t *testing.T, requests func() int, v *jwt.Verifier, token string) {
	t.Helper()
	before, want := requests(), outage
	_, err := v.Verify(t.Context(), token)
	if requests() > before {
		want = "token_unknown_key"
	}
	if codeOf(err) != want {
		t.Errorf("after %d requests: got %v, want %q", requests()-before, err, want)
	}
}

// expectRefusedOrNotAsked is for many at once.
func expectRefusedOrNotAsked(t *testing.T, v *jwt.Verifier, token string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); codeOf(err) != "token_unknown_key" && codeOf(err) != outage {
		t.Errorf("got %v", err)
	}
}

func TestManyUnknownKidsAtOnceAreOneRequestAndOneMore(t *testing.T) {
	a, bogus := newEC("a"), newEd("")
	release := make(chan struct{})
	s := newKeyServer(t, serve(jwks(a)))
	v, _ := remote(t, s)
	expectCode(t, v, "at first", a.token(claims(nil)), "")
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		<-release
		serve(jwks(a))(w, r)
	})
	var all sync.WaitGroup
	for i := range 400 {
		token := bogus.sign(fmt.Sprintf(`{"alg":"EdDSA","kid":"bogus-%d"}`, i), claims(nil))
		all.Go(func() { expectRefusedOrNotAsked(t, v, token) })
	}
	for v.Waiters() != 400 {
		runtime.Gosched()
	}
	close(release)
	all.Wait()
	// Who joined the first fetch has waited for a second one.
	s.expect(t, "400 unknown kids at once", 1+2)
}

// What is under way may bring the key, also when no more may be asked for.
func TestANewKeyComesWithWhatIsFetchedForAnother(t *testing.T) {
	a, b, bogus := newEC("a"), newEC("b"), newEC("")
	s := newKeyServer(t, serve(jwks(a)))
	v, _ := remote(t, s)
	expectCode(t, v, "at first", a.token(claims(nil)), "")
	expectCode(t, v, "bogus", bogus.sign(`{"alg":"ES256","kid":"bogus-1"}`, claims(nil)), "token_unknown_key")
	release := make(chan struct{})
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		<-release
		serve(jwks(a, b))(w, r)
	})
	var all sync.WaitGroup
	all.Go(func() {
		expectCode(t, v, "bogus", bogus.sign(`{"alg":"ES256","kid":"bogus-2"}`, claims(nil)), "token_unknown_key")
	})
	for v.Waiters() != 1 {
		runtime.Gosched()
	}
	found := make(chan struct{})
	go func() {
		defer close(found)
		expectCode(t, v, "the new key", b.token(claims(nil)), "")
	}()
	for waiting := true; waiting && v.Waiters() != 2; runtime.Gosched() {
		select {
		case <-found: // without having waited
			waiting = false
		default:
		}
	}
	close(release)
	all.Wait()
	<-found
	s.expect(t, "in all", 3)
}

func TestAKidThatIsMissingIsFoundOnceItIsThere(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a)))
	v, clock := remote(t, s)
	expectCode(t, v, "early", b.token(claims(nil)), "token_unknown_key")
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "still", b.token(claims(nil)), outage)
	s.expect(t, "still", 1)
	clock.move(10 * time.Second)
	expectCode(t, v, "ten seconds later", b.token(claims(nil)), "")
	s.expect(t, "ten seconds later", 2)
}

func TestAClockThatIsSetBackDoesNotKeepKeys(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a)))
	v, clock := remote(t, s)
	clock.set(10 * time.Hour)
	token := a.token(claims(map[string]any{"iat": now.Add(-100 * time.Hour).Unix(), "exp": now.Add(1000 * time.Hour).Unix()}))
	expectCode(t, v, "before", token, "")
	s.answers(serve(jwks(b)))
	clock.set(-10 * time.Hour)
	expectCode(t, v, "after", token, "token_unknown_key")
}

// What was used up by a clock of the future is there again, and no more than that.
func TestAClockThatIsSetBackLeavesAsManyRequestsAsEver(t *testing.T) {
	a, b := newEC("a"), newEC("b")
	s := newKeyServer(t, serve(jwks(a)))
	v, clock := remote(t, s)
	clock.set(10 * time.Hour)
	body := claims(map[string]any{"iat": nil, "exp": now.Add(1000 * time.Hour).Unix()})
	bogus := func(from int) {
		t.Helper()
		for i := range 10 {
			expectRefusedIfAsked(t, func() int { return s.count(keyPath) }, v, b.sign(fmt.Sprintf(`{"alg":"ES256","kid":"bogus-%d"}`, from+i), body))
		}
	}
	expectCode(t, v, "before", a.token(body), "")
	bogus(0)
	s.expect(t, "before", 1+2)
	clock.set(-10 * time.Hour)
	expectCode(t, v, "after", a.token(body), "")
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "a new key", b.token(body), "")
	s.expect(t, "a new key", 3+2)
	bogus(10)
	s.expect(t, "after", 5+1)
}

// The set changes while tokens are verified. A token of a key that is there is
// accepted each time, each change costs one request, and a key that is taken
// away is gone with the next one.
func TestKeysChangeWhile64Verify(t *testing.T) {
	const generations = 8
	gone := newEC("gone")
	keys := []signingKey{newEC("k0")}
	tokens := []string{keys[0].token(lasting())}
	for i := 1; i <= generations; i++ {
		keys = append(keys, newEC(fmt.Sprintf("k%d", i)))
		tokens = append(tokens, keys[i].token(lasting()))
	}
	s := newKeyServer(t, serve(jwks(append([]signingKey{gone}, keys[0])...)))
	v, clock := remote(t, s)

	var generation atomic.Int64
	var seen [generations + 1]struct {
		once sync.Once
		done chan struct{}
	}
	for g := range seen {
		seen[g].done = make(chan struct{})
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	forged := newEC("k0").token(lasting())
	removed := gone.token(lasting())
	for range 64 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				g := generation.Load()
				expectCode(t, v, "a key that is there", tokens[g], "")
				expectCode(t, v, "forged", forged, "token_signature")
				if _, err := v.Verify(t.Context(), removed); err != nil && codeOf(err) != "token_unknown_key" && codeOf(err) != outage {
					t.Errorf("removed: got %v, want token_unknown_key or an outage", err)
				}
				seen[g].once.Do(func() { close(seen[g].done) })
			}
		})
	}
	for g := range generations + 1 {
		if g > 0 {
			clock.move(missPause)
			s.answers(serve(jwks(keys[:g+1]...)))
			generation.Store(int64(g))
		}
		<-seen[g].done
	}
	close(stop)
	all.Wait()
	// The removed key is asked for in vain as well, twice between two changes at most.
	if got := s.count(keyPath); got < 1+generations || got > 1+2*generations {
		t.Errorf("%d requests for %d changes", got, generations)
	}
	clock.move(missPause)
	expectCode(t, v, "removed, in the end", removed, "token_unknown_key")
	t.Logf("%d requests", s.count(keyPath))
}

// missPause is as long as it takes until two more unknown kids may be asked for.
const missPause = 20 * time.Second
