package awserror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// own are the codes of a service that has one, and one of all services' in
// another meaning.
func own(code string) error {
	switch code {
	case "NoSuchThing", "AccessDenied":
		return secrets.ErrNotFound
	}
	return nil
}

func coded(code string) error { return &smithy.GenericAPIError{Code: code} }

func unread(cause error) error {
	return &smithy.DeserializationError{Err: cause, Snapshot: []byte("hunter2")}
}

func TestMeanings(t *testing.T) {
	for name, tt := range map[string]struct {
		err, want error
		final     bool
	}{
		"a code of its own":           {err: coded("NoSuchThing"), want: secrets.ErrNotFound, final: true},
		"a code of all":               {err: coded("ExpiredToken"), want: secrets.ErrDenied, final: true},
		"one that it means otherwise": {err: coded("AccessDenied"), want: secrets.ErrNotFound, final: true},
		"a code of the key":           {err: coded("KMSNotFoundException"), want: secrets.ErrUndecryptable, final: true},
		"throttled":                   {err: coded("SlowDown"), want: secrets.ErrUnavailable},
		"a code that nobody knows":    {err: coded("New"), final: true},
		"a fault of the server": {
			err:  &smithy.GenericAPIError{Code: "New", Fault: smithy.FaultServer},
			want: secrets.ErrUnavailable,
		},
		"out of time":        {err: context.DeadlineExceeded, want: secrets.ErrUnavailable},
		"left by the caller": {err: context.Canceled},
		"left while it was denied": {
			err: errors.Join(coded("AccessDeniedException"), context.Canceled),
		},
		"unread":                          {err: unread(io.ErrUnexpectedEOF), want: secrets.ErrUnavailable},
		"unread, left by the caller":      {err: unread(context.Canceled)},
		"unread, out of time":             {err: unread(context.DeadlineExceeded), want: secrets.ErrUnavailable},
		"what never was a request at all": {err: errors.New("no region"), final: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := Codes(own).Explain(`store: "name"`, fmt.Errorf("operation: %w", tt.err))
			for _, meaning := range []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable} {
				if errors.Is(err, meaning) != (meaning == tt.want) {
					t.Errorf("got %v, want it to match %v alone", err, tt.want)
				}
			}
			if got := Codes(own).Final(tt.err); got != tt.final {
				t.Errorf("final: %v, want %v", got, tt.final)
			}
		})
	}
}

func TestAnErrorSaysWhatItIsAboutWhatItMeansAndWhy(t *testing.T) {
	for want, err := range map[string]error{
		`store: "name": not found: api error NoSuchThing: `:                                          coded("NoSuchThing"),
		`store: "name": api error New: `:                                                             coded("New"),
		`store: "name": source unavailable: the answer could not be read`:                            unread(errors.New("hunter2")),
		`store: "name": source unavailable: the answer could not be read: context deadline exceeded`: unread(context.DeadlineExceeded),
		`store: "name": the answer could not be read: context canceled`:                              unread(context.Canceled),
	} {
		if got := Codes(own).Explain(`store: "name"`, err).Error(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestAnErrorKeepsHowReadingFailedAndNothingThatWasRead(t *testing.T) {
	for want, cause := range map[string]error{
		`store: "name": source unavailable: the answer could not be read`:                                  errors.New(`malformed HTTP response "hunter2"`),
		`store: "name": source unavailable: Post "u": net/http: HTTP/1.x transport connection broken: EOF`: io.EOF,
	} {
		err := &url.Error{Op: "Post", URL: "u", Err: fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", cause)}
		if got := Codes(own).Explain(`store: "name"`, err).Error(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
