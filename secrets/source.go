package secrets

import (
	"context"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Source fetches values from where they are kept. It is safe for concurrent use
// and starts nothing that outlives a call.
type Source interface {
	// Fetch fetches the values of refs, which are all different, in as few requests
	// as possible. It returns one Value for each ref, in the order of refs. A
	// failure of one ref is set as its Value.Err; an error of Fetch itself counts
	// for every ref. When ctx ends, Fetch returns at once with the values it has: a
	// [Cache] ignores values that are more than 250 ms late.
	//
	// An error that matches [ErrUnavailable], a context's error or a [net.Error]
	// means that the source could not be asked. A value that was fetched before
	// may then be served. After every other error it may not.
	Fetch(ctx context.Context, refs []Ref) ([]Value, error)
}

// Ref identifies a value. It holds all that can change the answer of a source.
type Ref struct {
	// Name as the source understands it: a name, an ARN, a path.
	Name string
	// Version is the id or number of one version; "" selects by Stage.
	Version string
	// Stage is a staging label, like AWSCURRENT, or a label of a parameter; ""
	// is the source's default.
	Stage string
	// Encrypted asks for the value as it is stored, where the source would
	// otherwise decrypt it.
	Encrypted bool
}

// Value is a source's answer for a Ref. fmt, slog, JSON and XML show "[redacted]"
// for it, as for a [Secret]. But its Data is a plain field: fmt shows it with %p, and
// in a field of another struct that is not exported.
type Value struct {
	redacted
	// Data is the value; it may be empty, but is nil only with an Err. The
	// caller of Fetch owns it, and a [Cache] overwrites it with zeros: a source
	// that keeps its values returns a copy.
	Data []byte
	// Version differs between this value and those before and after it. It is
	// "" if the source has no versions.
	Version string
	// Expires is when the value will be replaced; zero if that is unknown.
	Expires time.Time
	// Err is why there is no value.
	Err error
}

// Errors of a [Source].
var (
	// ErrNotFound: there is no such name, version or stage.
	ErrNotFound = reason.New("not found")
	// ErrDenied: the function may not read it.
	ErrDenied = reason.New("access denied")
	// ErrUndecryptable: it exists and cannot be decrypted.
	ErrUndecryptable = reason.New("cannot be decrypted")
	// ErrUnavailable: the source is throttled, too slow, down or unreachable.
	ErrUnavailable = reason.New("source unavailable")
	// ErrOutsideInvocation: the source answers only during an invocation, and
	// there has been none yet. It matches [ErrUnavailable] and triggers no
	// backoff.
	ErrOutsideInvocation = fmt.Errorf("%w: %w", reason.New("answers only within an invocation"), ErrUnavailable)
)
