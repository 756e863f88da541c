package clientcredentials_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestATokenThatWasUnderWayIsNotKeptAfterForget(t *testing.T) {
	s := newServer(t)
	asked, open := make(chan struct{}), make(chan struct{})
	s.answers(func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			close(asked)
			<-open
		}
		issue(w, n, 3600)
	})
	source := clientcredentials.New(s.URL, "shop", secrets.New(&vault{value: "hunter2"}), "key")
	expect := func(want string) {
		t.Helper()
		if got, err := source.Token(t.Context()); err != nil || got.Text() != want {
			t.Errorf("got %v and %v, want %s", got.Text(), err, want)
		}
	}
	var done sync.WaitGroup
	done.Go(func() { expect("token-1") }) // of the caller that waits
	<-asked
	source.Forget()
	close(open)
	done.Wait()
	expect("token-2")
	source.Forget()
	expect("token-3")
	expect("token-3")
}

func TestForgetEndsThePauseAfterAFailure(t *testing.T) {
	s := newServer(t)
	source := clientcredentials.New(s.URL, "shop", secrets.New(&vault{value: "hunter2"}), "key")
	s.answers(func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if token, err := source.Token(t.Context()); err == nil {
		t.Errorf("got %s, want an error", token.Text())
	}
	s.answers(nil)
	source.Forget()
	if token, err := source.Token(t.Context()); err != nil {
		t.Errorf("got %s and %v, want a token", token.Text(), err)
	}
}
