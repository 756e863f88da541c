package outgoing

import (
	"context"
	"io"
	"time"
)

// bound returns the context of a request, which ends in time.
func (t *transport) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, t.timeout)
	}
	left := time.Until(end)
	return context.WithTimeout(ctx, left-min(t.reserve, left/2))
}

// boundBy returns the body of an answer, which ends the request when it is read or
// closed.
func boundBy(body io.ReadCloser, end context.CancelFunc) io.ReadCloser {
	b := &boundBody{body, end}
	if w, ok := body.(io.Writer); ok { // of an answer that switches protocols
		return struct {
			*boundBody
			io.Writer
		}{b, w}
	}
	return b
}

type boundBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *boundBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
