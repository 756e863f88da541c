package jwt_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// In any order of changes to keys, issuer and clock: a token is accepted if and
// only if its key was in the last answer, and that is not a day old; none is
// called unknown unless its issuer was asked just then, and has no such key; no
// token costs more than one request; and half a minute after the last request a
// key that the issuer has is found, even if the clock was set back meanwhile.
func TestKeysUnderAnyHistory(t *testing.T) {
	keys := []signingKey{newEC("a"), newEC("b"), newEd("c"), newEC("d")}
	var tokens []string
	for _, k := range keys {
		tokens = append(tokens, k.token(claims(map[string]any{"iat": nil, "exp": int64(253402300799)})))
	}
	for range 250 {
		seed := rand.Uint64()
		h := newHistory(keys, tokens, seed)
		for range 40 {
			if err := h.step(t); err != nil {
				t.Fatalf("seed %d: %v\nafter %s", seed, err, strings.Join(h.past, "; "))
			}
		}
	}
}

// A history is what happened to one issuer, and what has to follow.
type history struct {
	*rand.Rand
	keys   []signingKey
	tokens []string // of each key

	net      *internet
	clock    *testClock
	verifier *jwt.Verifier
	past     []string // steps

	has      []int // keys that the issuer has
	up       bool  // it answers with them
	answered []int // keys that it answered with last
	at       time.Time
	asked    []time.Time // of each request, by the clock of then
}

const historyURI = issuer + keyPath

func newHistory(keys []signingKey, tokens []string, seed uint64) *history {
	h := &history{
		Rand: rand.New(rand.NewPCG(seed, 0)), keys: keys, tokens: tokens,
		net: newInternet(map[string][]byte{}), clock: newTestClock(),
	}
	h.verifier = jwt.New(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(historyURI),
		HTTPClient: &http.Client{Transport: h.net}, CacheTokens: 8 * h.IntN(2),
	})
	h.verifier.SetClock(h.clock.now)
	return h
}

func (h *history) step(t *testing.T) error {
	switch h.IntN(7) {
	case 0:
		h.has = h.Perm(len(h.keys))[:1+h.IntN(len(h.keys))]
		var keys []signingKey
		for _, i := range h.has {
			keys = append(keys, h.keys[i])
		}
		h.answers("keys "+fmt.Sprint(h.has), jwks(keys...))
		h.up = true
	case 1:
		h.answers("an error", []byte(`{"error":"slow down"}`))
	case 2:
		h.answers("no answer", nil)
	case 3, 4:
		moves := []time.Duration{
			time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour, 23 * time.Hour, 24 * time.Hour,
			-time.Second, -15 * time.Second, -time.Minute, -10 * time.Hour,
		}
		move := moves[h.IntN(len(moves))]
		h.clock.move(move)
		h.past = append(h.past, move.String())
	default:
		return h.verify(t, h.IntN(len(h.keys)))
	}
	return nil
}

func (h *history) answers(step string, body []byte) {
	h.net.put(historyURI, body)
	h.up = false
	h.past = append(h.past, step)
}

func (h *history) verify(t *testing.T, i int) error {
	h.past = append(h.past, fmt.Sprintf("token %d", i))
	before, at := h.net.count(historyURI), h.clock.now()
	rested := !slices.ContainsFunc(h.asked, func(then time.Time) bool {
		return -20*time.Second <= at.Sub(then) && at.Sub(then) < 30*time.Second
	})
	_, err := h.verifier.Verify(t.Context(), h.tokens[i])
	requests := h.net.count(historyURI) - before
	if requests > 1 {
		return fmt.Errorf("%d requests for a token, want one at most", requests)
	}
	if requests == 1 {
		h.asked = append(h.asked, at)
		if h.up {
			h.answered, h.at = h.has, at
		}
	}
	age, want := at.Sub(h.at), outage
	switch {
	case -time.Second <= age && age < 24*time.Hour && slices.Contains(h.answered, i): // clocks are corrected by a second
		want = ""
	case requests == 1 && h.up:
		want = "token_unknown_key"
	}
	if got := codeOf(err); got != want {
		return fmt.Errorf("key %d of %v, answered %v ago: got %q, want %q", i, h.answered, age, got, want)
	}
	if rested && h.up && slices.Contains(h.has, i) && err != nil {
		return fmt.Errorf("key %d of %v, after a pause: got %v, want the key", i, h.has, err)
	}
	return nil
}
