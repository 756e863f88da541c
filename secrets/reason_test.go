package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// logged is what the log says of a handler's error.
func logged(t *testing.T, err error) string {
	t.Helper()
	var log bytes.Buffer
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, err })
	if _, got := guard.Wrap(h, guard.Log(logging.New(&log))).Invoke(t.Context(), nil); got == nil {
		t.Fatal("got no error, want the handler's")
	}
	return log.String()
}

// An operator reads in the log why there is no secret.
func TestTheLogSaysWhyThereIsNoSecret(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error // of the source
		want string
	}{
		{name: "not found", want: "not found"},
		{name: "denied", err: fmt.Errorf("store: %w", secrets.ErrDenied), want: "access denied"},
		{name: "undecryptable", err: secrets.ErrUndecryptable, want: "cannot be decrypted"},
		{name: "unavailable", err: secrets.ErrUnavailable, want: "source unavailable"},
		{name: "outside an invocation", err: secrets.ErrOutsideInvocation, want: "answers only within an invocation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := newVault()
			source.fail(tt.err)
			_, err := secrets.New(source).Get(t.Context(), "db")
			if got := logged(t, err); !strings.Contains(got, tt.want) || strings.Contains(got, "errorString") {
				t.Errorf("got %s, want %q", got, tt.want)
			}
		})
	}
	for name, end := range map[string]func(){"a panic": func() { panic(hidden) }, "the end of its goroutine": exit} {
		t.Run(name+" of the source", func(t *testing.T) {
			source := newVault()
			source.before = func(context.Context, []secrets.Ref) { end() }
			_, err := secrets.New(source).Get(t.Context(), "db")
			if got := logged(t, err); !strings.Contains(got, "the call did not return") || strings.Contains(got, "errorString") {
				t.Errorf("got %s, want that the call did not return", got)
			}
		})
		t.Run(name+" of OnFetch", func(t *testing.T) {
			_, err := secrets.New(fixed("x"), secrets.OnFetch(func(context.Context, secrets.FetchReport) { end() })).Get(t.Context(), "db")
			if got := logged(t, err); !strings.Contains(got, "OnFetch: the call did not return") || strings.Contains(got, "errorString") {
				t.Errorf("got %s, want that OnFetch did not return", got)
			}
		})
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{name: "rejected", err: fmt.Errorf("connect: %w", secrets.ErrRejected), want: "secret rejected"},
		{name: "no name", err: second(secrets.New(newVault()).Get(t.Context(), "")), want: "a secret without a name"},
		{name: "no secret to decode", err: second(secrets.Decode[struct{}](secrets.Secret{})), want: "there is none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := logged(t, tt.err); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %q", got, tt.want)
			}
		})
	}
}

// What a source says is known by the value and not by its text.
func TestAnotherReasonWithTheSameTextIsNotASources(t *testing.T) {
	for _, sentinel := range []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable, secrets.ErrRejected} {
		if errors.Is(guard.Reason(sentinel.Error()), sentinel) || errors.Is(errors.New(sentinel.Error()), sentinel) {
			t.Errorf("got a match of %v with another error of the same text, want none", sentinel)
		}
	}
}

func second[T any](_ T, err error) error { return err }
