package layer_test

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

func TestALayerInsideLearnsTheAnswerThatAnErrorBecomes(t *testing.T) {
	renders := func(as string) guard.Middleware {
		return func(next lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				render := func(_ context.Context, err error) []byte { return []byte(as + ": " + err.Error()) }
				out, err := next.Invoke(layer.WithRenderer(ctx, render), payload)
				if err != nil {
					return render(ctx, err), nil
				}
				return out, nil
			})
		}
	}
	var seen string
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		answer, ok := layer.Render(ctx, io.EOF)
		if !ok {
			t.Error("no renderer")
		}
		seen = string(answer)
		return nil, io.EOF
	}), renders("outer"), renders("inner"))
	if out, err := h.Invoke(t.Context(), nil); err != nil || string(out) != "inner: EOF" || seen != string(out) {
		t.Errorf("%s, %v; the handler saw %s", out, err, seen)
	}
	if answer, ok := layer.Render(t.Context(), io.EOF); ok || answer != nil {
		t.Errorf("%s without a renderer", answer)
	}
}
