package logging_test

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// withoutTime leaves out the time, so that an example has the same output each day.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == "durationMs") {
		return slog.Attr{}
	}
	return a
}

func toStdout(opts ...logging.Option) *slog.Logger {
	inner := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime, Level: slog.LevelDebug})
	return slog.New(logging.NewHandler(inner, opts...))
}

func ExampleNew() {
	log := logging.New(os.Stdout, logging.Service("orders"), logging.Redact("iban"))
	guard.Wrap(guard.Func(func(ctx context.Context, in struct{ ID string }) (struct{}, error) {
		log.InfoContext(ctx, "order placed", "id", in.ID) // has requestId, traceId and service
		return struct{}{}, nil
	}), guard.Default(log))
}

// A handler of one's own gets the ids of the invocation, too.
func ExampleNewHandler() {
	log := toStdout()
	h := guard.Wrap(guard.Func(func(ctx context.Context, id string) (string, error) {
		log.WithGroup("order").InfoContext(ctx, "placed", "id", id)
		return "ok", nil
	}))
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	_, _ = h.Invoke(ctx, []byte(`"o-1"`))
	// Output: level=INFO msg=placed requestId=r-1 order.id=o-1
}

// Credentials are hidden by the names of their attributes, at any depth.
func ExampleRedact() {
	log := toStdout(logging.Redact("iban"))
	log.Info("paid", "IBAN", "DE89370400440532013000", "card", map[string]string{"token": "tok_1", "brand": "visa"})
	// Output: level=INFO msg=paid IBAN=[redacted] card="{\"brand\":\"visa\",\"token\":\"[redacted]\"}"
}

// Debug records are written only if the invocation fails.
func ExampleBufferDebug() {
	log := toStdout(logging.BufferDebug())
	h := guard.Wrap(guard.Func(func(ctx context.Context, sku string) (string, error) {
		log.DebugContext(ctx, "looking up", "sku", sku)
		if sku == "gone" {
			log.ErrorContext(ctx, "not in stock")
		}
		return "ok", nil
	}))
	_, _ = h.Invoke(context.Background(), []byte(`"here"`))
	_, _ = h.Invoke(context.Background(), []byte(`"gone"`))
	// Output:
	// level=DEBUG msg="looking up" sku=gone
	// level=ERROR msg="not in stock"
}
