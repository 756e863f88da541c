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
