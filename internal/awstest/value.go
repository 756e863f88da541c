package awstest

import (
	"errors"
	"net"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Named gives refs of names alone.
func Named(names ...string) []secrets.Ref {
	refs := make([]secrets.Ref, len(names))
	for i, name := range names {
		refs[i].Name = name
	}
	return refs
}

// Fetch gives the values of refs, each of which may be an error.
func Fetch(t testing.TB, source secrets.Source, refs ...secrets.Ref) []secrets.Value {
	t.Helper()
	values, err := source.Fetch(t.Context(), refs)
	if err != nil || len(values) != len(refs) {
		t.Fatalf("%d values of %d, %v", len(values), len(refs), err)
	}
	return values
}

// MustHave checks that a value is no error and has a text.
func MustHave(t testing.TB, v secrets.Value, want string) {
	t.Helper()
	if v.Err != nil || string(v.Data) != want {
		t.Errorf("%q, %v, want %q", v.Data, v.Err, want)
	}
}

// MustMean checks that an error means one thing, nil for none of them.
func MustMean(t testing.TB, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, meaning := range []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable} {
		if errors.Is(err, meaning) != (meaning == want) {
			t.Errorf("%v: is it %q?", err, meaning)
		}
	}
	var network net.Error
	if want != secrets.ErrUnavailable && errors.As(err, &network) {
		t.Errorf("%v passes for one of the network", err)
	}
}
