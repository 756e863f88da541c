package layer

import "context"

// Renderer encodes an error as an answer, in the form of the trigger.
type Renderer func(ctx context.Context, err error) []byte

type rendererKey struct{}

// WithRenderer returns a context in which [Render] uses r. A layer that turns
// errors into answers passes it on, so that an inner layer can store or count the
// caller's answer.
func WithRenderer(ctx context.Context, r Renderer) context.Context {
	return context.WithValue(ctx, rendererKey{}, r)
}

// Render returns the answer that an outer layer will make of err. ok is false if
// err will leave the chain as an error.
func Render(ctx context.Context, err error) (answer []byte, ok bool) {
	r, ok := ctx.Value(rendererKey{}).(Renderer)
	if !ok {
		return nil, false
	}
	return r(ctx, err), true
}
