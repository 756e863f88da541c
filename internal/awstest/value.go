// Package awstest is for the tests of sources that ask an AWS API. It has the
// answers of a busy service, the configuration of an impatient client, and a
// [Subject] with what all such sources must do.
package awstest

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Named returns refs with these names.
func Named(names ...string) []secrets.Ref {
	refs := make([]secrets.Ref, len(names))
	for i, name := range names {
		refs[i].Name = name
	}
	return refs
}

// Fetch returns the values of refs. Each may be an error.
func Fetch(t testing.TB, source secrets.Source, refs ...secrets.Ref) []secrets.Value {
	t.Helper()
	values, err := source.Fetch(t.Context(), refs)
	if err != nil || len(values) != len(refs) {
		t.Fatalf("got %d values, %v, want %d", len(values), err, len(refs))
	}
	return values
}

// MustHave fails unless a value has this text.
func MustHave(t testing.TB, v secrets.Value, want string) {
	t.Helper()
	if v.Err != nil || string(v.Data) != want {
		t.Errorf("got %q, %v, want %q", v.Data, v.Err, want)
	}
}

// MustMean fails unless an error matches this error of package secrets and no other,
// or none of them if want is nil.
func MustMean(t testing.TB, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want one that matches %v", want)
	}
	for _, meaning := range []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable} {
		if errors.Is(err, meaning) != (meaning == want) {
			t.Errorf("got %v, want it to match %v alone", err, want)
		}
	}
	var network net.Error
	if want != secrets.ErrUnavailable && errors.As(err, &network) {
		t.Errorf("got %v, which passes for a network error", err)
	}
}

// Clock is a wall clock that a test moves.
type Clock struct{ ns atomic.Int64 }

// NewClock returns a Clock with the right time.
func NewClock() *Clock {
	c := new(Clock)
	c.ns.Store(time.Now().UnixNano())
	return c
}

// Now returns its time, for secrets.Clock.
func (c *Clock) Now() time.Time { return time.Unix(0, c.ns.Load()) }

// Advance moves it forward.
func (c *Clock) Advance(d time.Duration) { c.ns.Add(int64(d)) }
