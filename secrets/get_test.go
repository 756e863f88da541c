package secrets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestAValueIsFetchedOnce(t *testing.T) {
	c, v, at := newCache()
	for range 3 {
		s := mustGet(t, c, "hunter2")
		if s.Version() != "1" || s.Stale() || s.IsZero() || !s.FetchedAt().Equal(at.Now()) || string(s.Bytes()) != "hunter2" {
			t.Errorf("got version %q, stale %v, zero %v, fetched at %v, want version 1, just fetched", s.Version(), s.Stale(), s.IsZero(), s.FetchedAt())
		}
	}
	v.mustHaveBeenAsked(t, 1)
}

func TestAllThatChangesTheAnswerIsTheKey(t *testing.T) {
	c, v, _ := newCache()
	for _, tc := range []struct {
		text string
		ref  secrets.Ref
		opts []secrets.GetOption
	}{
		{text: "current", ref: secrets.Ref{Name: name}},
		{
			text: "previous",
			ref:  secrets.Ref{Name: name, Stage: "AWSPREVIOUS"},
			opts: []secrets.GetOption{secrets.VersionStage("AWSPREVIOUS")},
		},
		{text: "third", ref: secrets.Ref{Name: name, Version: "3"}, opts: []secrets.GetOption{secrets.VersionID("3")}},
		{
			text: "both",
			ref:  secrets.Ref{Name: name, Version: "3", Stage: "x"},
			opts: []secrets.GetOption{secrets.VersionID("3"), secrets.VersionStage("x")},
		},
		{text: "sealed", ref: secrets.Ref{Name: name, Encrypted: true}, opts: []secrets.GetOption{secrets.Decrypt(false)}},
		{text: "current", ref: secrets.Ref{Name: name}, opts: []secrets.GetOption{secrets.Decrypt(false), secrets.Decrypt(true)}},
	} {
		v.setRef(tc.ref, secrets.Value{Data: []byte(tc.text), Version: tc.text})
		for range 2 {
			mustGet(t, c, tc.text, tc.opts...)
		}
	}
	v.mustHaveBeenAsked(t, 5)
}

func TestAnErrorNamesAllThatWasAskedFor(t *testing.T) {
	c, _, _ := newCache()
	_, err := c.Get(t.Context(), name, secrets.VersionStage("old"), secrets.VersionID("7"), secrets.Decrypt(false))
	const want = `secret_not_found: secrets: "payments/api-key" stage "old" version "7" as stored: not found`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAnEmptyNameIsAnErrorThatAsksNobody(t *testing.T) {
	c, v, _ := newCache()
	if _, err := c.Get(t.Context(), ""); err == nil {
		t.Error("got a secret without a name")
	}
	v.mustHaveBeenAsked(t, 0)
}

func TestAFreshValueNeedsNoContext(t *testing.T) {
	c, v, at := newCache()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, name); !errors.Is(err, context.Canceled) {
		t.Errorf("a value that is not there: got %v, want %v", err, context.Canceled)
	}
	v.mustHaveBeenAsked(t, 0) // for one who is gone
	mustGet(t, c, "hunter2")
	if s, err := c.Get(ctx, name); err != nil || s.Stale() {
		t.Errorf("a fresh value: got stale %v, %v, want it fresh", s.Stale(), err)
	}
	at.move(6 * time.Minute)
	if s, err := c.Get(ctx, name); err != nil || !s.Stale() {
		t.Errorf("a value past its TTL: got stale %v, %v, want it stale", s.Stale(), err)
	}
	v.mustHaveBeenAsked(t, 1)
}

// overdue is a context whose timer is late.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestADeadlineThatIsOverNeedsNoTimer(t *testing.T) {
	c, v, _ := newCache()
	if _, err := c.Get(overdue{Context: t.Context()}, name); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	v.mustHaveBeenAsked(t, 0)
}

func TestBytesAreTheCallersOwn(t *testing.T) {
	c, _, _ := newCache()
	clear(mustGet(t, c, "hunter2").Bytes())
	mustGet(t, c, "hunter2")
}

// Two values with the same version are still two values.
func TestAValueIsReplacedByOneOfTheSameVersion(t *testing.T) {
	for _, version := range []string{"", "1"} {
		c, v, at := newCache()
		v.set(name, "hunter2", version)
		mustGet(t, c, "hunter2")
		v.set(name, "hunter3", version)
		if got, err := secrets.Try(t.Context(), c, name, newShop("hunter3").buy); err != nil {
			t.Errorf("got %q, %v, want a purchase with the new value", got, err)
		}
		mustGet(t, c, "hunter3")
		v.set(name, `"hunter4"`, version)
		at.move(5 * time.Minute)
		if got, err := secrets.JSON[string](t.Context(), c, name); err != nil || got != "hunter4" {
			t.Errorf("got %q, %v, want hunter4", got, err)
		}
	}
}
