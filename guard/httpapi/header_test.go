package httpapi_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// headed sets a header before the handler runs.
func headed(name string, values ...string) guard.Middleware {
	return httpapi.HeaderLayer("test."+name, func(ctx context.Context, payload []byte, header http.Header, next lambda.Handler) ([]byte, error) {
		header[name] = values
		return next.Invoke(ctx, payload)
	})
}

func TestAHeaderLayerSetsHeadersOfEveryAnswer(t *testing.T) {
	own := func(context.Context, struct{}) (httpapi.Reply[string], error) {
		return httpapi.Reply[string]{Value: "done", Header: http.Header{"X-Left": {"handler"}, "X-Other": {"stays"}}}, nil
	}
	failing := func(context.Context, struct{}) (string, error) {
		return "", guard.Errorf(guard.NotFound, "gone", "It is gone.")
	}
	foreign := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"statusCode":200,"headers":{"X-LEFT":"handler","X-Other":"stays"},"body":"done"}`), nil
	})
	for name, c := range map[string]struct {
		handler lambda.Handler
		status  int
		other   string
	}{
		"an own handler":    {handler: httpapi.Func(own), status: 200, other: "stays"},
		"an error":          {handler: httpapi.Func(failing), status: 404},
		"a foreign handler": {handler: foreign, status: 200, other: "stays"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := invoke(t, jsonCall("{}"), c.handler, httpapi.Problems(), headed("X-Left", "outer"), headed("X-Left", "1", "2"),
				headed("X-Bad", "a\r\nb"), headed("Set-Cookie", "a=b"), headed("Content-Length", "1"))
			if err != nil {
				t.Fatal(err)
			}
			r := read(t, out)
			if r.status != c.status || r.header.Get("X-Left") != "1, 2" || r.header.Get("X-Other") != c.other {
				t.Errorf("got %d %v", r.status, r.header)
			}
			for _, name := range []string{"X-Bad", "Set-Cookie", "Content-Length"} {
				if got := r.header.Values(name); len(got) > 0 {
					t.Errorf("got %s: %q, want none", name, got)
				}
			}
		})
	}
}

func TestAHeaderLayerLeavesOtherAnswersAlone(t *testing.T) {
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`{"batchItemFailures":[]}`), nil }), headed("X-Left", "1"))
	out, err := h.Invoke(t.Context(), []byte(`{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"}]}`))
	if err != nil || string(out) != `{"batchItemFailures":[]}` {
		t.Errorf("got %s, %v", out, err)
	}
}

// The answer of a handler of this package is encoded once, however many layers set
// headers.
func TestAHeaderLayerCostsNoSecondEncoding(t *testing.T) {
	var inner []byte
	watch := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			inner = out
			return out, err
		})
	}
	done := httpapi.Func(func(context.Context, struct{}) (string, error) { return "done", nil })
	out, err := invoke(t, call{}, done, httpapi.SecurityHeaders(), headed("X-Left", "1"), headed("X-Right", "2"), watch)
	if err != nil || len(out) == 0 || &out[0] != &inner[0] {
		t.Errorf("got another answer than the handler encoded: %s, %v", out, err)
	}
}

func TestAHeaderLayerWithoutAFunctionPanics(t *testing.T) {
	if got := panics(func() { httpapi.HeaderLayer("x", nil) }); got != "httpapi: HeaderLayer with a nil function" {
		t.Errorf("got the panic %q", got)
	}
}

// A layer that tries again gets the headers of the last try alone.
func TestAHeaderOfAnEarlierTryIsGone(t *testing.T) {
	calls := 0
	once := httpapi.HeaderLayer("test.once", func(ctx context.Context, payload []byte, header http.Header, next lambda.Handler) ([]byte, error) {
		if calls++; calls == 1 {
			header.Set("X-Left", "1")
		}
		return next.Invoke(ctx, payload)
	})
	twice := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			_, _ = next.Invoke(ctx, payload)
			return next.Invoke(ctx, payload)
		})
	}
	for name, h := range map[string]lambda.Handler{
		"an own handler":    httpapi.Func(func(context.Context, struct{}) (string, error) { return "done", nil }),
		"a foreign handler": guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":200,"body":"done"}`), nil }),
	} {
		calls = 0
		out, err := invoke(t, jsonCall("{}"), h, httpapi.Problems(), twice, once)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, out).header.Get("X-Left"); got != "" {
			t.Errorf("%s: got %q, want none", name, got)
		}
	}
}
