package guard

import "context"

// Renderer makes the answer that an error becomes, in the trigger's own form.
type Renderer func(ctx context.Context, err error) []byte

type rendererKey struct{}

// WithRenderer tells the layers further in how an error will be answered. A
// layer that turns errors into answers calls it, so that one inside it can keep
// or count the very answer that the caller gets.
func WithRenderer(ctx context.Context, r Renderer) context.Context {
	return context.WithValue(ctx, rendererKey{}, r)
}

// Render gives the answer that err will become further out, and false where it
// leaves the chain as an error.
func Render(ctx context.Context, err error) ([]byte, bool) {
	r, ok := ctx.Value(rendererKey{}).(Renderer)
	if !ok {
		return nil, false
	}
	return r(ctx, err), true
}
