package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// callers is a verifier whose tokens are the names of who has them.
type callers struct{}

func (callers) Verify(_ context.Context, token string) (*authorizer.Grant, error) {
	if token != "alice" && token != "bob" {
		return nil, guard.Errorf(guard.Unauthenticated, "token_unknown", "The token is not known.")
	}
	return &authorizer.Grant{Principal: token}, nil
}

// built makes a chain, or says why it panics.
func built(h lambda.Handler, layers []guard.Middleware) (chain lambda.Handler, refused string) {
	defer func() {
		if why := recover(); why != nil {
			refused, _ = why.(string)
		}
	}()
	return guard.Wrap(h, layers...), ""
}

// permutations calls each with every order of n things that begins with first.
func permutations(n, first int, each func(order []int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	order[0], order[first] = first, 0
	var place func(at int)
	place = func(at int) {
		if at == n {
			each(order)
			return
		}
		for i := at; i < n; i++ {
			order[at], order[i] = order[i], order[at]
			place(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	place(1)
}

// Every arrangement of the layers is refused as it is built, or keeps callers
// apart: what alice's request was answered goes to nobody else.
func TestEveryOrderOfTheLayersIsRefusedOrKeepsCallersApart(t *testing.T) {
	accepts := schema.MustCompile([]byte(`{"type":"object"}`))
	log := logging.New(io.Discard)
	hello := httpapi.Func(func(ctx context.Context, _ map[string]any) (string, error) {
		g, ok := authorizer.GrantFrom(ctx)
		if !ok {
			return "for nobody", nil
		}
		return "for " + g.Principal, nil
	})
	event := func(token string) []byte {
		b := sample.HTTP("POST", "/orders").JSON(`{}`).Header("Idempotency-Key", "k-1")
		if token != "" {
			b = b.Header("Authorization", "Bearer "+token)
		}
		return b.Bytes()
	}
	asAlice, asBob, asNobody := event("alice"), event("bob"), event("")

	const once, require = 7, 6
	layers := func() []guard.Middleware {
		return []guard.Middleware{
			guard.Log(log), httpapi.Problems(), guard.Recover(), guard.Limit(guard.Limits{}), guard.Deadline(300 * time.Millisecond),
			validate.Body(accepts), authorizer.Require(authorizer.Bearer(callers{})),
			idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")),
			httpapi.SecurityHeaders(),
		}
	}
	// Eight layers in all orders; where SecurityHeaders stands changes no answer's
	// reader, so it takes each place in turn.
	for first := range len(layers()) - 1 {
		t.Run(fmt.Sprint("outermost ", first), func(t *testing.T) {
			t.Parallel()
			all, refused, n := layers(), 0, 0
			permutations(len(all)-1, first, func(order []int) {
				n++
				chain := make([]guard.Middleware, 0, len(all))
				for _, i := range order {
					if i == once {
						chain = append(chain, idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))
						continue
					}
					chain = append(chain, all[i])
				}
				chain = slices.Insert(chain, n%len(all), all[len(all)-1])
				h, why := built(hello, chain)
				unsafe := slices.Index(order, once) < slices.Index(order, require)
				if unsafe != (h == nil) {
					t.Fatalf("order %v: got refused %t (%s), want %t", order, h == nil, why, unsafe)
				}
				if h == nil {
					refused++
					if !strings.Contains(why, "idempotency.Once") || !strings.Contains(why, "authorizer.Require") {
						t.Fatalf("order %v: got %q, want both layers named", order, why)
					}
					return
				}
				type call struct {
					who   string
					event []byte
				}
				calls := []call{{who: "alice", event: asAlice}, {who: "bob", event: asBob}, {event: asNobody}, {who: "alice", event: asAlice}}
				for _, call := range calls[:2+n%32/16*2] { // the first two show it; the others in every other lot
					out, err := h.Invoke(t.Context(), call.event)
					var a struct {
						StatusCode int
						Body       string
					}
					if err == nil {
						err = json.Unmarshal(out, &a)
					}
					if err == nil && a.StatusCode < 300 && a.Body != `"for `+call.who+`"` {
						t.Fatalf("order %v: %q got %s", order, call.who, out)
					}
					if call.who != "" && (err != nil || a.StatusCode != 200) {
						t.Fatalf("order %v: %q got %s, %v, want an answer", order, call.who, out, err)
					}
				}
			})
			want := n / 2
			switch first {
			case once:
				want = n
			case require:
				want = 0
			}
			if n != 5040 || refused != want {
				t.Errorf("got %d orders, %d refused; want 5040 and %d", n, refused, want)
			}
		})
	}
}

// What a layer of somebody else's hides is found at the first invocation.
func TestAnOrderThatNobodySeesFailsClosed(t *testing.T) {
	foreign := func(next lambda.Handler) lambda.Handler { return guard.HandlerFunc(next.Invoke) }
	runs := 0
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (string, error) {
		runs++
		return "secret", nil
	}), httpapi.Problems(), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")), foreign,
		authorizer.Require(authorizer.Bearer(callers{})))
	for range 2 {
		out, err := h.Invoke(t.Context(), sample.HTTP("POST", "/").Header("Idempotency-Key", "k").Header("Authorization", "Bearer alice").Bytes())
		if err != nil || !strings.Contains(string(out), `"statusCode":500`) || !strings.Contains(string(out), "order_unsafe") {
			t.Errorf("got %s, %v, want order_unsafe", out, err)
		}
	}
	if runs != 0 {
		t.Errorf("got %d runs of the handler, want none", runs)
	}
}

func TestTheDefaultOfOtherFunctionsIsNotForHTTP(t *testing.T) {
	log := logging.New(io.Discard)
	for name, h := range map[string]lambda.Handler{
		"Func":   httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }),
		"Routes": httpapi.Routes(map[string]lambda.Handler{"/": httpapi.Serve(site())}),
	} {
		if _, why := built(h, []guard.Middleware{guard.Default(log)}); !strings.Contains(why, "httpapi.Default") {
			t.Errorf("%s: got %q, want it refused with a word about httpapi.Default", name, why)
		}
		if _, why := built(h, []guard.Middleware{httpapi.Default(log)}); why != "" {
			t.Errorf("%s: got %q, want it built", name, why)
		}
	}
}

// An order that is unwise is warned of once.
func TestAnUnwiseOrderIsAWarning(t *testing.T) {
	var out strings.Builder
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }),
		guard.Recover(), guard.Log(logging.New(&out)), guard.Limit(guard.Limits{}), httpapi.Problems())
	for range 2 {
		if _, err := h.Invoke(t.Context(), sample.HTTP("GET", "/").Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	warnings := 0
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, `"level":"WARN"`) && strings.Contains(line, "guard.Recover stands outside") {
			warnings++
		}
	}
	if warnings != 2 { // guard.Log, httpapi.Problems
		t.Errorf("got %d warnings, want 2:\n%s", warnings, out.String())
	}
}
