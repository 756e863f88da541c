package secrets_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestInjectHasTheSecretsThereBeforeTheHandler(t *testing.T) {
	c, v, _ := newCache()
	v.set("other", "x", "1")
	v.set("third", "y", "1")
	var got string
	two := []string{name, "other"}
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		got = secrets.From(ctx, name).Text() + secrets.From(ctx, "other").Text() + secrets.From(ctx, "third").Text()
		return nil, nil
	}), c.Inject(two...), c.Inject("third"))
	clear(two) // they are the caller's own
	for range 3 {
		if _, err := h.Invoke(t.Context(), nil); err != nil || got != "hunter2xy" {
			t.Errorf("got %q, %v, want all three secrets", got, err)
		}
	}
	v.mustHaveBeenAsked(t, 2)
}

func TestWithoutASecretTheHandlerDoesNotRun(t *testing.T) {
	c, v, _ := newCache()
	v.set("other", "x", "1")
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		t.Error("got a run of the handler, want none")
		return nil, nil
	}), c.Inject("other", "gone", name))
	_, err := h.Invoke(t.Context(), nil)
	if !errors.Is(err, secrets.ErrNotFound) || !strings.Contains(err.Error(), "gone") {
		t.Errorf("got %v", err)
	}
	v.mustHaveBeenAsked(t, 1)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 1)
}

func TestWhatIsWrongFromTheStartPanics(t *testing.T) {
	c, v, _ := newCache(secrets.MaxEntries(2))
	for rule, do := range map[string]func(){
		"no source":                func() { secrets.New(nil) },
		"TTL of 0":                 func() { secrets.TTL(0) },
		"TTL of 300 years":         func() { secrets.TTL(1<<63 - 1) },
		"negative MaxStale":        func() { secrets.MaxStale(-1) },
		"negative Jitter":          func() { secrets.Jitter(-0.1) },
		"Jitter of all":            func() { secrets.Jitter(1) },
		"no entries":               func() { secrets.MaxEntries(0) },
		"negative NegativeTTL":     func() { secrets.NegativeTTL(-1) },
		"FetchTimeout of 0":        func() { secrets.FetchTimeout(0) },
		"nil OnFetch":              func() { secrets.OnFetch(nil) },
		"nil OnStale":              func() { secrets.OnStale(nil) },
		"nil Previous":             func() { secrets.Previous(nil) },
		"nil Clock":                func() { secrets.Clock(nil) },
		"nil RejectedWhen":         func() { secrets.RejectedWhen(nil) },
		"Inject of nothing":        func() { c.Inject() },
		"Inject of an empty name":  func() { c.Inject(name, "") },
		"Inject of more than kept": func() { c.Inject("a", "b", "c") },
		"Dir of an empty path":     func() { secrets.Dir("") },
		"From of what is not there": func() {
			_, _ = guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				secrets.From(ctx, "other")
				return nil, nil
			}), c.Inject(name)).Invoke(t.Context(), nil)
		},
		"From outside of Inject": func() { secrets.From(t.Context(), name) },
	} {
		t.Run(rule, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "secrets: ") {
					t.Errorf("got panic %q, want one of secrets", text)
				}
			}()
			do()
		})
	}
	_ = v
}
