package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

func serve(t *testing.T, h http.HandlerFunc) secrets.Source {
	t.Helper()
	return agent.Secrets(agent.Address(serving(t, h)), token())
}

func TestSomeAreAskedForAtOnceAndNotAll(t *testing.T) {
	var under, most atomic.Int64
	full := make(chan struct{}, 100)
	src := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		full <- struct{}{}
		for turns := 0; most.Load() < 3 || turns < 1000; turns++ { // the first wait for each other, and for one too many
			select {
			case <-r.Context().Done():
				return
			default:
				runtime.Gosched()
			}
		}
		fmt.Fprintf(w, `{"SecretString":%q}`, r.URL.Query().Get("secretId"))
	})
	refs := make([]secrets.Ref, 20)
	for i := range refs {
		refs[i].Name = fmt.Sprint("secret-", i)
	}
	values, err := src.Fetch(invoked(t), refs)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		mustBe(t, v, refs[i].Name, "")
	}
	if most.Load() != 3 || len(full) != 20 {
		t.Errorf("got %d requests at once and %d values, want 3 and all", most.Load(), len(full))
	}
	if values, err := src.Fetch(invoked(t), nil); err != nil || len(values) != 0 {
		t.Errorf("no refs: got %v, %v, want nothing", values, err)
	}
}

func TestWhatKeepsTheAgentFromAnAnswer(t *testing.T) {
	for what, h := range map[string]http.HandlerFunc{
		"hangs up at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs up halfway": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"SecretString":"v"}`)
		},
		"headers without an end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		},
	} {
		t.Run(what, func(t *testing.T) {
			mustFailAs(t, one(invoked(t), serve(t, h), secrets.Ref{Name: "x"}).Err, secrets.ErrUnavailable)
		})
	}
	t.Run("does not answer in time", func(t *testing.T) {
		src := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(invoked(t), 20*time.Millisecond)
		defer cancel()
		mustFailAs(t, one(ctx, src, secrets.Ref{Name: "x"}).Err, secrets.ErrUnavailable)
	})
}

func TestAnAnswerIsBounded(t *testing.T) {
	src := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for chunk := strings.Repeat("x", 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write([]byte(chunk)); err != nil {
				return
			}
		}
	})
	got := one(invoked(t), src, secrets.Ref{Name: "x"})
	mustFailAs(t, got.Err, nil)
	if !strings.Contains(fmt.Sprint(got.Err), "over 4194304 bytes") {
		t.Error(got.Err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int64
	src := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/secretsmanager/get" {
			elsewhere.Add(1)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	mustFailAs(t, one(invoked(t), src, secrets.Ref{Name: "x"}).Err, nil)
	if elsewhere.Load() != 0 {
		t.Error("got the token where a redirect pointed, want no request")
	}
}

// A frozen process must not wake up with connections that are dead, and a
// source starts nothing that outlives a call.
func TestNothingOutlivesAFetch(t *testing.T) {
	a := agenttest.New(t)
	a.SetSecret("x", "v")
	src := agent.Secrets(at(a)...)
	before := runtime.NumGoroutine()
	for range 20 {
		if got := one(invoked(t), src, secrets.Ref{Name: "x"}); got.Err != nil {
			t.Fatal(got.Err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for runtime.NumGoroutine() > before {
		if ctx.Err() != nil {
			t.Fatalf("got %d goroutines, want %d as before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}
