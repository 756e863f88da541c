package guard

import "log/slog"

// Reason is an error whose text is a constant of the program. [Log] therefore
// shows it, where of errors.New it shows the type alone, as a text put together
// at run time may hold what a caller sent:
//
//	const errOutOfStock = guard.Reason("out of stock")
//
//	return fmt.Errorf("%w: %w", guard.Reason("reserve stock"), err)
//
// Two reasons with one text are equal.
type Reason string

func (r Reason) Error() string { return string(r) }

// LogValue is the text.
func (r Reason) LogValue() slog.Value { return slog.StringValue(string(r)) }
