package secrets

import (
	"fmt"
	"log/slog"
	"time"
)

// Secret is a value as [Cache.Get] returned it; it does not change. It
// hides itself: every verb of fmt, slog, JSON, XML and a panic show
// "[redacted]". What prints the fields of another type around it, as fmt does
// with those that are not exported, finds the address of a function. To show
// the value takes a call of [Secret.Text] or [Secret.Bytes].
//
// Secrets cannot be compared with ==. The zero Secret is empty.
type Secret struct {
	// open is a function as no reflection looks into what one has captured.
	open  func() *fetched
	stale bool
}

// fetched is what a fetch brought. It never changes.
type fetched struct {
	*content
	at        time.Time // when the fetch began, without monotonic clock
	seq       uint64    // its number
	confirmed bool      // it was asked for as the content was rejected, and brought the same
}

func (f *fetched) self() *fetched { return f }

var nothing = &fetched{content: new(content)}

func (s Secret) fetched() *fetched {
	if s.open == nil {
		return nothing
	}
	return s.open()
}

// Text is the value. It costs no copy: all callers share one string.
func (s Secret) Text() string { return s.fetched().text }

// Bytes is a copy of the value, the caller's own to change and to clear.
func (s Secret) Bytes() []byte { return []byte(s.fetched().text) }

// Version differs from that of the value before and after, as the source
// names it; "" where the source has no versions. It may be logged.
func (s Secret) Version() string { return s.fetched().version }

// FetchedAt is when the fetch that brought the value began, by the wall clock;
// zero for the zero Secret.
func (s Secret) FetchedAt() time.Time { return s.fetched().at }

// Stale reports whether the value was past its TTL when it was given, because
// the source could not be asked or another call was just asking it.
func (s Secret) Stale() bool { return s.stale }

// IsZero reports whether s is the zero Secret, as of a previous value that
// there is none of. A secret that is empty is not.
func (s Secret) IsZero() bool { return s.open == nil }

const redacted = "[redacted]"

// String is "[redacted]".
func (Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns "[redacted]" as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "[redacted]": for XML, YAML, TOML and what else asks.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
