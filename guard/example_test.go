package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

type Greeting struct {
	Name string `json:"name"`
}

type Reply struct {
	Text string `json:"text"`
}

func greet(_ context.Context, in Greeting) (Reply, error) {
	if in.Name == "" {
		return Reply{}, guard.Errorf(guard.Invalid, "no_name", "A name is needed.")
	}
	return Reply{Text: "Hello, " + in.Name + "!"}, nil
}

// A plain function in the middle, the layers around it; in a Lambda function,
// guard.Start takes the place of guard.Wrap.
func ExampleWrap() {
	h := guard.Wrap(guard.Func(greet),
		guard.Log(slog.New(slog.DiscardHandler)), // logging.New(os.Stdout)
		guard.Errors(),
		guard.Recover(),
		guard.Limit(guard.Limits{Payload: 256 << 10}),
		guard.Deadline(300*time.Millisecond),
	)
	out, _ := h.Invoke(context.Background(), []byte(`{"name":"Ada"}`))
	fmt.Println(string(out))
	_, err := h.Invoke(context.Background(), []byte(`{}`))
	fmt.Printf("%T\n", err)
	// Output:
	// {"text":"Hello, Ada!"}
	// messages.InvokeResponse_Error
}

// An event that could be read in two ways is refused, with the place.
func ExampleFunc() {
	h := guard.Func(greet)
	for _, event := range []string{
		`{"name":"Ada","since":1815}`,
		`{"name":"Ada","NAME":"Eve"}`,
		`{"name":"Ada","name":"Eve"}`,
		`{"name":"Ada"}{"name":"Eve"}`,
		`null`,
	} {
		out, err := h.Invoke(context.Background(), []byte(event))
		var e *guard.Error
		if errors.As(err, &e) {
			fmt.Printf("%s: %s at %q\n", e.Kind, e.Code, e.Violations[0].Pointer)
			continue
		}
		fmt.Println(string(out))
	}
	// Output:
	// {"text":"Hello, Ada!"}
	// invalid: case_variant_member at "/NAME"
	// invalid: duplicate_member at "/name"
	// invalid: trailing_data at ""
	// invalid: wrong_type at ""
}

// The caller reads the detail, the operator finds the cause in the log.
func ExampleErrorf() {
	query := func() error { return errors.New("dial tcp 10.0.0.7:5432: connection refused") }
	err := guard.Errorf(guard.Unavailable, "stock_unknown", "The stock of %q is not known now: %w", "KB-101", query())
	fmt.Println("caller:  ", err.Detail)
	fmt.Println("operator:", err.Err)
	fmt.Println("platform: retry", err.Kind.Retryable(), "status", err.Kind.Status())
	// Output:
	// caller:   The stock of "KB-101" is not known now
	// operator: dial tcp 10.0.0.7:5432: connection refused
	// platform: retry true status 503
}

// What a handler adds stands in the one record of its invocation.
func ExampleAddAttrs() {
	place := func(ctx context.Context, in Greeting) (Reply, error) {
		guard.AddAttrs(ctx, slog.Int("letters", len(in.Name)))
		return greet(ctx, in)
	}
	h := guard.Wrap(guard.Func(place), guard.Log(exampleLogger()))
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "c6af9ac6"})
	_, _ = h.Invoke(ctx, []byte(`{"name":"Ada"}`))
	// Output:
	// level=INFO msg=invocation requestId=c6af9ac6 coldStart=true trigger=unknown letters=3
}

// exampleLogger leaves out what differs from run to run.
func exampleLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || strings.HasSuffix(a.Key, "Ms") {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// tracer is a layer as other libraries have them: it takes and returns a
// lambda.Handler and imports nothing of this module.
func tracer(next lambda.Handler) lambda.Handler { return traced{next: next} }

type traced struct{ next lambda.Handler }

func (t traced) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	fmt.Println("span begins")
	defer fmt.Println("span ends")
	return t.next.Invoke(ctx, payload)
}

// A third party's func(lambda.Handler) lambda.Handler stands in the list as it is.
func ExampleMiddleware() {
	h := guard.Wrap(guard.Func(greet), guard.Errors(), tracer, guard.Recover())
	out, _ := h.Invoke(context.Background(), []byte(`{"name":"Ada"}`))
	fmt.Println(string(out))
	// Output:
	// span begins
	// span ends
	// {"text":"Hello, Ada!"}
}

// A token that was fetched before a snapshot is not sent by its restored copies.
func ExampleOnRestore() {
	var token string // of an hour
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		if token == "" {
			token = "fetched"
			return []byte("fetches a token"), nil
		}
		return []byte("has a token"), nil
	})
	// In a function: guard.Start(h, guard.OnRestore(…), …)
	fn := guardtest.NewInProcess(guard.Wrap(h, guard.OnRestore(func() { token = "" })), guardtest.Config{})
	invoke := func() {
		result, err := fn.Invoke(context.Background(), []byte(`{}`))
		fmt.Println(string(result.Payload), err)
	}
	invoke()
	invoke()
	fmt.Println("restored", fn.Restore(context.Background()))
	invoke()
	// Output:
	// fetches a token <nil>
	// has a token <nil>
	// restored <nil>
	// fetches a token <nil>
}

// The hooks have 300 ms together. The last listed is called first.
func ExampleOnShutdown() {
	flush := func(ctx context.Context) error { return os.Stdout.Sync() } // or the Shutdown of a TracerProvider
	guard.Start(guard.Func(greet), guard.OnShutdown(flush))
}

// An HTTP request has the same form for every gateway.
func ExampleEvent_HTTP() {
	rest := []byte(`{"resource":"/orders/{id}","path":"/orders/7","httpMethod":"GET",
		"headers":{"Accept":"text/html"},"requestContext":{"identity":{"sourceIp":"192.0.2.1"}}}`)
	req, err := guard.EventOf(context.Background(), rest).HTTP()
	fmt.Println(req.RouteKey, req.Headers["accept"], req.RequestContext.HTTP.SourceIP, err)
	// Output:
	// GET /orders/{id} text/html 192.0.2.1 <nil>
}
