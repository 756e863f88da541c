package secrets

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Secret is a value that hides itself: fmt with every verb, slog, JSON, XML and
// a panic show "[redacted]". Only [Secret.Text] and [Secret.Bytes] return the
// value. A Secret does not change. Secrets cannot be compared with ==. The zero
// Secret is empty.
type Secret struct {
	redacted
	// open is a function because reflection cannot look into a closure: fmt
	// prints the unexported fields of a struct around a Secret.
	open      func() *content
	fetchedAt time.Time
	fetch     uint64 // number of the fetch that brought it
	stale     bool
}

// content is a value and its decoded forms. A fetch that returns the same value
// keeps the content.
type content struct {
	name, text, version string
	first               uint64   // number of the fetch that first brought it
	begun               uint64   // number of the last fetch that had begun when it came
	decoded             sync.Map // lenient[T] or noUnknown[T] → func() (T, error)
}

func (c *content) self() *content { return c }

// predates reports whether c was already current when a fetch read its values. A
// fetch that was under way when c was stored may have read an older value.
func (c *content) predates(fetch uint64) bool { return fetch == c.first || fetch > c.begun }

var noContent = new(content)

func (s Secret) content() *content {
	if s.open == nil {
		return noContent
	}
	return s.open()
}

func (s Secret) sameValue(other Secret) bool {
	a, b := s.content(), other.content()
	return a == b || a.version == b.version && a.text == b.text
}

// Text returns the value. All callers share one string.
func (s Secret) Text() string { return s.content().text }

// Bytes returns a copy of the value, which the caller may change and clear.
func (s Secret) Bytes() []byte { return []byte(s.content().text) }

// Version returns the source's name for this version of the value, or "" if the
// source has no versions. It may be logged.
func (s Secret) Version() string { return s.content().version }

// FetchedAt returns the wall-clock time at which the fetch of the value began.
// It is zero for the zero Secret.
func (s Secret) FetchedAt() time.Time { return s.fetchedAt }

// Stale reports whether the value was past its TTL when the cache returned it,
// because the source could not be asked or another call was asking it.
func (s Secret) Stale() bool { return s.stale }

// IsZero reports whether s is the zero Secret. A secret with an empty value is
// not.
func (s Secret) IsZero() bool { return s.open == nil }

const redaction = "[redacted]"

// redacted has the methods that hide the type which embeds it.
type redacted struct{}

func (redacted) String() string               { return redaction }
func (redacted) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redaction)) }
func (redacted) LogValue() slog.Value         { return slog.StringValue(redaction) }
func (redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + redaction + `"`), nil }
func (redacted) MarshalText() ([]byte, error) { return []byte(redaction), nil } // XML, YAML, TOML
