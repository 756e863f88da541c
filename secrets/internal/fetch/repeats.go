package fetch

import (
	"context"
	"errors"
	"io"
	"net"
)

// Repeats reports whether an error of net/http's, met while it read an answer,
// may have a part of it: what is no HTTP is quoted there, and may be a value. An
// error of the way here has none. What is in a [net/url.Error] is asked about by
// itself.
func Repeats(err error) bool {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, end) {
			return false
		}
	}
	var network net.Error
	return !errors.As(err, &network)
}
