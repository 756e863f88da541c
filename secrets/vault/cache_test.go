package vault_test

import (
	"context"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestARotationThroughTheCache(t *testing.T) {
	e := newEngine(t, "secret")
	e.put("shop", version{data: `{"key":"old"}`})
	c := secrets.New(e.source())
	use := func(valid string) error {
		_, err := secrets.Try(t.Context(), c, "secret/shop#key", func(_ context.Context, s secrets.Secret) (string, error) {
			if s.Text() != valid {
				return "", secrets.ErrRejected
			}
			return s.Text(), nil
		})
		return err
	}
	current, previous, err := secrets.New(e.source()).Pair(t.Context(), "secret/shop#key")
	if err != nil || current.Text() != "old" || !previous.IsZero() {
		t.Errorf("got %q and %q, %v, want the last two values", current.Text(), previous.Text(), err)
	}
	if err := use("old"); err != nil {
		t.Error(err)
	}
	e.put("shop", version{data: `{"key":"new"}`})
	if err := use("new"); err != nil {
		t.Error(err)
	}
	current, previous, err = c.Pair(t.Context(), "secret/shop#key")
	if err != nil || current.Text() != "new" || current.Version() != "2" || previous.Text() != "old" || previous.Version() != "1" {
		t.Errorf("got %q and %q, %v, want the last two values", current.Text(), previous.Text(), err)
	}
}
