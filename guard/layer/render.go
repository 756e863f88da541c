package layer

import "context"

// Renderer returns the answer that an error becomes, in the form of the trigger.
type Renderer func(ctx context.Context, err error) []byte

type rendererKey struct{}

// WithRenderer returns a context in which [Render] uses r. A layer that turns
// errors into answers passes it on, so that a layer inside can store or count the
// answer that the caller gets.
func WithRenderer(ctx context.Context, r Renderer) context.Context {
	return context.WithValue(ctx, rendererKey{}, r)
}

// Render returns the answer that err will become further out. ok is false if err
// will leave the chain as an error.
func Render(ctx context.Context, err error) (answer []byte, ok bool) {
	r, ok := ctx.Value(rendererKey{}).(Renderer)
	if !ok {
		return nil, false
	}
	return r(ctx, err), true
}
