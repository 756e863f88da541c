package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// byHeader is a check by a credential that nobody else knows to be one.
func byHeader(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
	who := r.Header("X-Session")
	if who == "" {
		return nil, guard.Errorf(guard.Unauthenticated, "session_missing", "There is no session.")
	}
	return &authorizer.Grant{Principal: who}, nil
}

// forWhom answers with the caller's name.
func forWhom(ctx context.Context, _ struct{}) (string, error) {
	g, _ := authorizer.GrantFrom(ctx)
	return g.Principal, nil
}

// foreign is a layer of somebody else's, which nobody looks into.
func foreign(next lambda.Handler) lambda.Handler { return guard.HandlerFunc(next.Invoke) }

func asCaller(who string) []byte {
	return sample.HTTP("POST", "/orders").Header("Idempotency-Key", "k-1").Header("X-Session", who).Bytes()
}

// Layers that are put around one another by hand, without Wrap, share what they
// know of an invocation all the same.
func TestLayersPutTogetherByHandKeepCallersApart(t *testing.T) {
	require := authorizer.Require(byHeader)
	once := func() guard.Middleware {
		return idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))
	}
	for name, h := range map[string]lambda.Handler{
		"in order":                  require(once()(httpapi.Func(forWhom))),
		"in order, behind another":  foreign(require(foreign(once()(httpapi.Func(forWhom))))),
		"in a chain":                guard.Chain(require, once())(httpapi.Func(forWhom)),
		"the wrong way, unseen":     once()(foreign(require(httpapi.Func(forWhom)))),
		"the wrong way in a chain":  guard.Chain(once(), foreign, require)(httpapi.Func(forWhom)),
		"the wrong way, wrapped in": once()(foreign(guard.Wrap(httpapi.Func(forWhom), require))),
	} {
		for _, who := range []string{"alice", "bob", "alice"} {
			out, err := h.Invoke(t.Context(), asCaller(who))
			if strings.HasPrefix(name, "the wrong way") {
				if err == nil || guard.Public(err).Code != "order_unsafe" {
					t.Errorf("%s: %s got %s, %v, want order_unsafe", name, who, out, err)
				}
				continue
			}
			var a struct{ Body string }
			if failed := json.Unmarshal(out, &a); err != nil || failed != nil || a.Body != `"`+who+`"` {
				t.Errorf("%s: %s got %s, %v", name, who, out, err)
			}
		}
	}
}

// A layer that sets a principal and ignores the error has its answer
// thrown away, and nothing is stored.
func TestALayerThatIgnoresTheSealIsNotAnsweredBy(t *testing.T) {
	runs := 0
	deaf := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			_ = layer.SetPrincipal(ctx, "mallory")
			return next.Invoke(ctx, payload)
		})
	}
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (string, error) { runs++; return "secret", nil }),
		idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")), deaf)
	for range 2 {
		out, err := h.Invoke(t.Context(), asCaller("alice"))
		if err == nil || guard.Public(err).Code != "order_unsafe" || out != nil {
			t.Errorf("got %s, %v, want order_unsafe", out, err)
		}
	}
	if runs != 2 {
		t.Errorf("got %d runs, want 2: nothing is stored", runs)
	}
}

// Errors outside of HTTP handlers is refused also where only some of them have
// Problems around them: the others' clients get a 502, and so does who asks for
// no route at all.
func TestErrorsOutsideAHandlerWithoutProblemsIsRefused(t *testing.T) {
	f := httpapi.Func(forWhom)
	within := guard.Wrap(f, httpapi.Problems())
	for name, tt := range map[string]struct {
		h       lambda.Handler
		refused bool
	}{
		"one route has Problems":  {h: httpapi.Routes(map[string]lambda.Handler{"/a": within, "/b": f}), refused: true},
		"each route has Problems": {h: httpapi.Routes(map[string]lambda.Handler{"/a": within, "/b": within}), refused: true},
		"Problems around Routes": {
			h: guard.Wrap(httpapi.Routes(map[string]lambda.Handler{"/a": within, "/b": f}), httpapi.Problems()),
		},
		"Problems around Func": {h: within},
	} {
		if _, why := built(tt.h, []guard.Middleware{guard.Errors()}); tt.refused != strings.Contains(why, "guard.Errors") {
			t.Errorf("%s: got %q, want refused %t", name, why, tt.refused)
		}
	}
}

// One key inside itself is in progress for ever.
func TestOnceInsideOnceIsAWarning(t *testing.T) {
	once := idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))
	var log strings.Builder
	h := guard.Wrap(httpapi.Func(forWhom), guard.Log(logging.New(&log)), once, once)
	_, _ = h.Invoke(t.Context(), asCaller("alice"))
	if !strings.Contains(log.String(), "idempotency.Once stands outside idempotency.Once") {
		t.Errorf("got no warning in %s", log.String())
	}
}

// No layer of this module hides what is inside it.
func TestALayerOfThisModuleHidesNoOrder(t *testing.T) {
	require, once := authorizer.Require(byHeader), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))
	accepts := schema.MustCompile([]byte(`{}`))
	for name, between := range map[string]guard.Middleware{
		"Log":             guard.Log(logging.New(io.Discard)),
		"Errors":          guard.Chain(guard.Errors(), httpapi.Problems()),
		"Recover":         guard.Recover(),
		"Limit":           guard.Limit(guard.Limits{}),
		"Deadline":        guard.Deadline(0),
		"Problems":        httpapi.Problems(),
		"SecurityHeaders": httpapi.SecurityHeaders(),
		"CORS":            httpapi.CORS(httpapi.CORSConfig{}),
		"Body":            validate.Body(accepts),
		"Event":           validate.Event(accepts),
		"Result":          validate.Result(accepts),
		"Inject":          secrets.New(secrets.Env()).Inject("a"),
		"Chain":           guard.Chain(nil, guard.Chain()),
		"Wrap":            func(next lambda.Handler) lambda.Handler { return guard.Wrap(next, nil) },
		"Routes": func(next lambda.Handler) lambda.Handler {
			return httpapi.Routes(map[string]lambda.Handler{"/": next})
		},
	} {
		if _, why := built(httpapi.Func(forWhom), []guard.Middleware{once, between, require}); !strings.Contains(why, "authorizer.Require") {
			t.Errorf("%s: got %q, want it refused", name, why)
		}
	}
}
