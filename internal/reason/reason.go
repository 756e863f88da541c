// Package reason makes errors whose text a log may show.
package reason

import "log/slog"

// New returns an error with a text that is a constant of the program. It is
// errors.New for what guard.Log should say: each has its own identity, which a
// guard.Reason does not, and its text is its log value.
func New(text string) error { return &reason{text} }

type reason struct{ text string }

func (r *reason) Error() string { return r.text }

// LogValue is the text.
func (r *reason) LogValue() slog.Value { return slog.StringValue(r.text) }
