package guard

import "log/slog"

// Reason is an error whose text is a constant of the program. [Log] shows that
// text. Of an error of errors.New it shows the type alone, because a text that is
// made at run time may hold what a caller sent.
//
//	const errOutOfStock = guard.Reason("out of stock")
//
//	return fmt.Errorf("%w: %w", guard.Reason("reserve stock"), err)
//
// Two reasons with one text are equal.
type Reason string

func (r Reason) Error() string { return string(r) }

// LogValue returns the text.
func (r Reason) LogValue() slog.Value { return slog.StringValue(string(r)) }
