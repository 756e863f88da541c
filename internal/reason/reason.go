// Package reason makes errors with constant texts, which are logged.
package reason

import "log/slog"

// New returns an error whose text is a constant of the program. Unlike the text of
// errors.New, guard.Log shows it. Unlike two guard.Reasons of one text, two such
// errors are never equal.
func New(text string) error { return &reason{text} }

type reason struct{ text string }

func (r *reason) Error() string { return r.text }

// LogValue returns the text.
func (r *reason) LogValue() slog.Value { return slog.StringValue(r.text) }
