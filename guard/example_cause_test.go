package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// A reason has a text that is the same for every caller, so the log may show it.
func ExampleReason() {
	const errOutOfStock = guard.Reason("out of stock")
	reserve := func(_ context.Context, sku string) (any, error) {
		return nil, fmt.Errorf("reserve %s: %w", sku, errOutOfStock) // the log leaves these words out
	}
	cause := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: onlyCause}))
	h := guard.Wrap(guard.Func(reserve), guard.Log(cause))
	_, err := h.Invoke(context.Background(), []byte(`"KB-101"`))
	fmt.Println(errors.Is(err, errOutOfStock))
	// Output:
	// error.cause="out of stock"
	// true
}

// onlyCause leaves error.cause of a record alone.
func onlyCause(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 1 && groups[0] == "error" && a.Key == "cause" {
		return a
	}
	return slog.Attr{}
}

// A layer that reports panics to a service finds them in the error.
func ExamplePanicError() {
	report := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			var p *guard.PanicError
			if errors.As(err, &p) {
				fmt.Println(p, len(p.Stack()) > 0)
			}
			return out, err
		})
	}
	h := guard.Wrap(guard.Func(func(_ context.Context, prices []int) (int, error) { return prices[1], nil }), report, guard.Recover())
	_, _ = h.Invoke(context.Background(), []byte(`[100]`))
	// Output: the handler panicked: runtime error: index out of range [1] with length 1 true
}
