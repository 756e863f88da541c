package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// A handler of aws-lambda-go's lambdaurl streams where it is served alone. In a
// chain its response is one answer.
func TestAStreamedResponseIsOneAnswerInAChain(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		w.Header().Add("Set-Cookie", "a=1")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "one, ")
		_, _ = io.WriteString(w, "two")
	})
	for name, handler := range map[string]lambda.Handler{
		"lambda.NewHandler": lambda.NewHandler(lambdaurl.Wrap(h)),
		"guard.Func": guard.Func(func(ctx context.Context, r *events.LambdaFunctionURLRequest) (any, error) {
			return lambdaurl.Wrap(h)(ctx, r)
		}),
	} {
		out, err := guard.Wrap(handler, httpapi.Problems(), httpapi.SecurityHeaders()).Invoke(t.Context(), sample.HTTP("GET", "/").FunctionURL().Bytes())
		a := read(t, out)
		if err != nil || a.status != http.StatusTeapot || a.body != "one, two" || a.header.Get("X-A") != "1" || a.header.Get("Set-Cookie") != "a=1" ||
			a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %s, %v", name, out, err)
		}
	}
}

// Some frameworks ask whether the client has gone, and stop the process's work
// where nobody can tell them.
func TestServeIsAskedWhetherTheClientHasGone(t *testing.T) {
	type notifier interface{ CloseNotify() <-chan bool }
	a := send(t, call{path: "/"}, httpapi.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n, ok := w.(notifier)
		if !ok {
			t.Fatal("got no CloseNotify")
		}
		select {
		case <-n.CloseNotify():
			t.Error("got a client that has gone")
		default:
			_, _ = io.WriteString(w, "here")
		}
	})))
	if a.status != 200 || a.body != "here" {
		t.Errorf("got %+v", a)
	}
}

// instrumented is how a third party wraps a handler.
type instrumented struct{ inner lambda.Handler }

func (i instrumented) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return i.inner.Invoke(ctx, payload)
}

// A handler of lambda.NewHandler reuses the memory of its answer too early. Where a third
// party holds one, several invocations at once would mix their answers up.
func TestAWrapperAroundAReflectedHandlerIsNoticed(t *testing.T) {
	reflected := lambda.NewHandler(func(context.Context, map[string]any) (string, error) { return "x", nil })
	own := guard.Func(func(context.Context, map[string]any) (string, error) { return "x", nil })
	for name, h := range map[string]lambda.Handler{"a value": instrumented{
		inner: reflected,
	}, "a pointer": &instrumented{
		inner: &instrumented{
			inner: reflected,
		},
	}} {
		var log strings.Builder
		if _, err := guard.Wrap(h, guard.Log(logging.New(&log))).Invoke(t.Context(), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "lambda.NewHandler") || !strings.Contains(log.String(), `"level":"WARN"`) {
			t.Errorf("%s: got %s, want a warning", name, log.String())
		}
	}
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "8")
	if _, why := built(instrumented{inner: reflected}, nil); !strings.Contains(why, "guard.Func") {
		t.Errorf("got %q, want it refused where invocations run at once", why)
	}
	for name, h := range map[string]lambda.Handler{"a handler of guard's": instrumented{
		inner: own,
	}, "none between": reflected} {
		if _, why := built(h, nil); why != "" {
			t.Errorf("%s: got %q, want it built", name, why)
		}
	}
}
