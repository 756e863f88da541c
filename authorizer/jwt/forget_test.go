package jwt_test

import (
	"net/http"
	"sync"
	"testing"
)

// A fetch that was under way keeps nothing, and does not make a good token look like
// one of an unknown key: a gateway would store that answer.
func TestKeysThatWereUnderWayAreNotKeptAfterForget(t *testing.T) {
	before, after := newEC("before"), newEC("after")
	asked, open := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := newKeyServer(t, nil)
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(asked)
			<-open
			serve(jwks(before))(w, r)
			return
		}
		serve(jwks(after))(w, r)
	})
	v, _ := remote(t, s)

	var done sync.WaitGroup
	done.Go(func() { expectCode(t, v, "a token that waits for keys", after.token(lasting()), "") })
	<-asked
	v.Forget()
	close(open)
	done.Wait()
	expectCode(t, v, "a token of a key from before", before.token(lasting()), "token_unknown_key")
	expectCode(t, v, "a token of a key from after", after.token(lasting()), "")
}

func TestForgetDropsWhatIsKnownOfFailuresAndUnknownKeys(t *testing.T) {
	a := newEC("a")
	s := newKeyServer(t, fail)
	v, _ := remote(t, s) // whose clock stands
	expectCode(t, v, "in an outage", a.token(lasting()), outage)
	s.answers(serve(jwks(a)))
	expectCode(t, v, "in the pause after it", a.token(lasting()), outage)
	v.Forget()
	expectCode(t, v, "forgotten", a.token(lasting()), "")

	for _, kid := range []string{"x", "y", "z"} { // one more than are fetched for in a row
		_, _ = v.Verify(t.Context(), newEC(kid).token(lasting()))
	}
	b := newEC("b")
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "after many unknown keys", b.token(lasting()), outage)
	s.answers(serve(jwks(a)))
	v.Forget()
	expectCode(t, v, "forgotten again", a.token(lasting()), "")
	s.answers(serve(jwks(a, b)))
	expectCode(t, v, "a new key", b.token(lasting()), "")
}
