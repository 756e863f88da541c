package secrets

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Source fetches values from where they are kept. Implementations are safe for
// concurrent use and start nothing that outlives a call.
type Source interface {
	// Fetch gets every value of refs in as few requests as it takes. On success
	// it returns one Value for each ref, in their order, and what failed for one
	// of them alone is in its Value.Err. An error of Fetch itself is that of
	// every ref. When ctx ends, it comes back at once with the values that it
	// has: a [Cache] takes none that come more than 250 ms later.
	//
	// An error that matches [ErrUnavailable], a context's deadline or a
	// [net.Error] means that the source could not be asked. Every other error is
	// the source's answer, and a value that was fetched before no longer stands.
	Fetch(ctx context.Context, refs []Ref) ([]Value, error)
}

// Ref says which value is meant: all that can change the answer, so that two
// equal Refs may share one.
type Ref struct {
	// Name as the source understands it: a name, an ARN, a path.
	Name string
	// Version is one version, by its id or number; "" is the one of Stage.
	Version string
	// Stage is a staging label, like AWSCURRENT, or a parameter's label; "" is
	// what the source gives when it is not told.
	Stage string
	// Encrypted asks for a value as it is stored, where a source would decrypt
	// it otherwise.
	Encrypted bool
}

// Value is what a source has for a Ref: Data, which may be empty and is not nil,
// or Err.
type Value struct {
	// Data is the value. Whoever calls Fetch owns it: a [Cache] writes zeros over
	// it, so a source that keeps its values gives out a copy.
	Data []byte
	// Version tells this value from the one before and after it; "" where the
	// source has no versions.
	Version string
	// Expires is when the value is known to be replaced; zero when it is not.
	Expires time.Time
	// Err is why there is no value.
	Err error
}

// Format writes "[redacted]" for every verb.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue is "[redacted]".
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON gives "[redacted]" as a JSON string.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText gives "[redacted]".
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// What a source says of a value that it does not give.
var (
	// ErrNotFound: there is no such name, version or stage.
	ErrNotFound = reason.New("not found")
	// ErrDenied: the function may not read it.
	ErrDenied = reason.New("access denied")
	// ErrUndecryptable: it is there and cannot be decrypted.
	ErrUndecryptable = reason.New("cannot be decrypted")
	// ErrUnavailable: throttled, out of time, down, unreachable.
	ErrUnavailable = reason.New("source unavailable")
)
