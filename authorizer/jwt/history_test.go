package jwt_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"pgregory.net/rapid"
)

// Whatever happens to keys, issuer and clock, and in whatever order: a token is
// accepted if and only if its key was in the last answer, which is not a day
// old; none is called unknown unless its issuer was asked for it just then, and
// has no such key; no token costs more than one request; and half a minute after
// the last request, also where the clock was set back meanwhile, a key that the
// issuer has is found.
func TestKeysUnderAnyHistory(t *testing.T) {
	const uri = issuer + keyPath
	all := []signingKey{newEC("a"), newEC("b"), newEd("c"), newEC("d")}
	var tokens []string
	for _, k := range all {
		tokens = append(tokens, k.token(claims(map[string]any{"iat": nil, "exp": int64(253402300799)})))
	}
	moves := []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour, 23 * time.Hour, 24 * time.Hour,
		-time.Second, -15 * time.Second, -time.Minute, -10 * time.Hour,
	}
	rapid.Check(t, func(t *rapid.T) {
		n := newInternet(map[string][]byte{})
		v := jwt.New(jwt.Config{
			Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(uri), HTTPClient: &http.Client{Transport: n},
			Remember: rapid.SampledFrom([]int{0, 8}).Draw(t, "remember"),
		})
		clock := newTestClock()
		v.SetClock(clock.now)

		var has, answered []int // keys that the issuer has, and that it answered with last
		var up bool
		var answeredAt time.Time
		var asked []time.Time // when, by the clock of then
		set := func(body []byte) { n.put(uri, body); up = false }
		step := map[string]func(*rapid.T){
			"keys": func(t *rapid.T) {
				has = rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, len(all), rapid.ID).Draw(t, "has")
				var keys []signingKey
				for _, i := range has {
					keys = append(keys, all[i])
				}
				set(jwks(keys...))
				up = true
			},
			"an error":  func(*rapid.T) { set([]byte(`{"error":"slow down"}`)) },
			"no answer": func(*rapid.T) { set(nil) },
			"time":      func(t *rapid.T) { clock.move(rapid.SampledFrom(moves).Draw(t, "move")) },
			"a token": func(t *rapid.T) {
				i := rapid.IntRange(0, len(all)-1).Draw(t, "key")
				before, at := n.count(uri), clock.now()
				rested := !slices.ContainsFunc(asked, func(then time.Time) bool {
					return -20*time.Second <= at.Sub(then) && at.Sub(then) < 30*time.Second
				})
				_, err := v.Verify(t.Context(), tokens[i])
				requests := n.count(uri) - before
				switch {
				case requests > 1:
					t.Fatalf("%d requests for a token", requests)
				case requests == 1:
					asked = append(asked, at)
					if up {
						answered, answeredAt = has, at
					}
				}
				trusted := !at.Before(answeredAt) && at.Sub(answeredAt) < 24*time.Hour
				known := slices.Contains(answered, i)
				want := []string{outage}
				switch {
				case trusted && known:
					want = []string{""}
				case requests == 1 && up:
					want = []string{"token_unknown_key"}
				}
				if !slices.Contains(want, codeOf(err)) {
					t.Fatalf("key %d of %v, %v ago: %v, want %q", i, answered, at.Sub(answeredAt), err, want)
				}
				if rested && up && slices.Contains(has, i) && err != nil {
					t.Fatalf("key %d of %v, asked at %v: %v", i, has, asked, err)
				}
			},
		}
		t.Repeat(step)
	})
}
