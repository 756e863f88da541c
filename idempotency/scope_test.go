package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// mustNotMeet sends requests that have the same key, each twice: each runs once
// and gets its own answer again.
func mustNotMeet(t *testing.T, h lambda.Handler, f *function, all map[string]request) {
	t.Helper()
	first := make(map[string]string)
	for name, r := range all {
		r.key = "the-same-key"
		out := mustAnswer(t, h, r)
		if isReplay(out) {
			t.Errorf("%s got another's answer: %s", name, out)
		}
		first[name] = read(t, out).Body
	}
	for name, r := range all {
		r.key = "the-same-key"
		out := mustAnswer(t, h, r)
		if !isReplay(out) || read(t, out).Body != first[name] {
			t.Errorf("%s got %s, want its own answer %q again", name, out, first[name])
		}
	}
	f.mustHaveRun(t, int64(len(all)))
}

// SECURITY: Kept apart.
func TestRule02CallersNeverMeet(t *testing.T) {
	f := new(function)
	all := map[string]request{"nobody": {}}
	for i, authorizer := range []string{
		`{"jwt":{"claims":{"iss":"https://a","sub":"u1"},"scopes":null}}`,
		`{"jwt":{"claims":{"iss":"https://a","sub":"u2"},"scopes":null}}`,
		`{"jwt":{"claims":{"iss":"https://b","sub":"u1"},"scopes":null}}`,
		`{"jwt":{"claims":{"iss":"https://","sub":"au1"},"scopes":null}}`, // the same bytes in a row
		`{"jwt":{"claims":{"iss":"https://a","client_id":"machine"},"scopes":null}}`,
		`{"lambda":{"principalId":"u1","plan":"free"}}`,
		`{"lambda":{"principalId":"u2","plan":"free"}}`,
		`{"lambda":{"sub":"u3"}}`,
		`{"lambda":{"principalId":"user","sub":"u4"}}`, // one principal for all
		`{"lambda":{"principalId":"user","sub":"u5"}}`,
		`{"iam":{"userArn":"arn:aws:iam::123456789012:user/u1","callerId":"AIDA1"}}`,
		`{"iam":{"userArn":"arn:aws:iam::123456789012:user/u2","callerId":"AIDA2"}}`,
		`{"iam":{"userArn":"arn:aws:sts::1:assumed-role/Auth/CognitoIdentityCredentials","cognitoIdentity":{"identityId":"eu:1"}}}`,
		`{"iam":{"userArn":"arn:aws:sts::1:assumed-role/Auth/CognitoIdentityCredentials","cognitoIdentity":{"identityId":"eu:2"}}}`,
		`{"iam":{"callerId":"AIDA3"}}`,
	} {
		all[fmt.Sprint("caller ", i)] = request{authorizer: authorizer}
	}
	mustNotMeet(t, protect(f, idempotency.NewMemoryStore()), f, all)
}

func TestRule02ACallerIsTheSameInItsNextRequest(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	mustAnswer(t, h, request{key: "k", authorizer: `{"jwt":{"claims":{"iss":"i","sub":"u","iat":"1","jti":"a"},"scopes":null}}`})
	out := mustAnswer(t, h, request{key: "k", authorizer: `{"jwt":{"claims":{"iss":"i","sub":"u","iat":"2","jti":"b"},"scopes":null}}`})
	if !isReplay(out) {
		t.Errorf("a renewed token is another caller: %s", out)
	}
	mustAnswer(t, h, request{key: "k2", authorizer: `{"lambda":{"principalId":"u"}}`})
	out = mustAnswer(t, h, request{key: "k2", authorizer: `{"lambda":{"principalId":"u","sub":"u"}}`})
	if !isReplay(out) {
		t.Errorf("a principal told twice is another caller: %s", out)
	}
}

func TestRule02AnAuthorizerThatDoesNotTellWhoFailsClosed(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	for _, authorizer := range []string{`{"lambda":{"plan":"free"}}`, `{"jwt":{"claims":{"iss":"i"},"scopes":null}}`, `{"iam":{"accountId":"1"}}`, `{"lambda":{"principalId":""}}`} {
		if out, err := ask(t, h, request{key: "k", authorizer: authorizer}); err == nil || guard.KindOf(err) != guard.Internal {
			t.Errorf("%s: %s, %v", authorizer, out, err)
		}
	}
	f.mustHaveRun(t, 0)
	byPlan := idempotency.Scope(func(_ context.Context, ev *guard.Event) (string, error) {
		req, err := ev.HTTP()
		if err != nil {
			return "", err
		}
		plan, _ := req.RequestContext.Authorizer.Lambda["plan"].(string)
		return plan, nil
	})
	mustNotMeet(t, protect(f, idempotency.NewMemoryStore(), byPlan), f, map[string]request{
		"free": {authorizer: `{"lambda":{"plan":"free"}}`}, "paid": {authorizer: `{"lambda":{"plan":"paid"}}`},
	})
	_, err := ask(t, protect(f, idempotency.NewMemoryStore(), byPlan), request{key: "k", authorizer: `{"lambda":{"plan":""}}`})
	if err == nil {
		t.Error("an empty scope is a scope")
	}
}

// A REST API has the caller elsewhere.
func TestRule02CallersOfARESTAPINeverMeet(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	seen := make(map[string]bool)
	for _, caller := range []string{
		`"identity":{"sourceIp":"192.0.2.1"}`,
		`"identity":{"userArn":"arn:1"}`, `"identity":{"userArn":"arn:2"}`,
		`"identity":{"userArn":"arn:1","cognitoIdentityId":"eu:1"}`, `"identity":{"cognitoIdentityId":"eu:1"}`,
		`"identity":{"apiKeyId":"k1"}`, `"identity":{"apiKeyId":"k2"}`,
		`"identity":{"clientCert":{"subjectDN":"CN=a","issuerDN":"CN=x"}}`, `"identity":{"clientCert":{"subjectDN":"CN=a","issuerDN":"CN=y"}}`,
		`"identity":{},"authorizer":{"principalId":"p1"}`, `"identity":{},"authorizer":{"principalId":"p2"}`,
		`"identity":{},"authorizer":{"principalId":"user","sub":"s1"}`, `"identity":{},"authorizer":{"principalId":"user","sub":"s2"}`,
		`"identity":{},"authorizer":{"claims":{"sub":"s1","iss":"i"}}`,
	} {
		event := fmt.Appendf(nil, `{"resource":"/orders","path":"/orders","httpMethod":"POST","headers":{"Idempotency-Key":"k"},`+
			`"requestContext":{"httpMethod":"POST","path":"/orders",%s},"body":"{\"a\":1}"}`, caller)
		out, err := h.Invoke(t.Context(), event)
		if err != nil || seen[string(out)] || isReplay(string(out)) {
			t.Errorf("%s: %s, %v", caller, out, err)
		}
		seen[string(out)] = true
		if again, err := h.Invoke(t.Context(), event); err != nil || !isReplay(string(again)) {
			t.Errorf("%s again: %s, %v", caller, again, err)
		}
	}
}

func TestRule02RoutesNeverMeet(t *testing.T) {
	f := new(function)
	mustNotMeet(t, protect(f, idempotency.NewMemoryStore()), f, map[string]request{
		"orders": {path: "/orders"}, "refunds": {path: "/refunds"}, "put": {method: "PUT", path: "/orders"},
		"default, orders":       {route: "$default", path: "/orders"},
		"default, refunds":      {route: "$default", path: "/refunds"},
		"default, put":          {route: "$default", path: "/orders", method: "PUT"},
		"a route with a value":  {route: "PUT /orders/{id}", method: "PUT", path: "/orders/1"},
		"another with the path": {route: "PUT /{proxy+}", method: "PUT", path: "/orders/1"},
	})
}

// Of one route with a value in it the key belongs to one resource.
func TestRule02AKeyOfOneResourceIsNotAnothers(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	put := func(path, query string) request {
		return request{key: "k", method: "PUT", route: "PUT /orders/{id}", path: path, query: query}
	}
	mustAnswer(t, h, put("/orders/1", ""))
	mustRefuse(t, h, put("/orders/2", ""), guard.Unprocessable, "idempotency_key_reused")
	mustRefuse(t, h, put("/orders/1", "dry_run=true"), guard.Unprocessable, "idempotency_key_reused")
	f.mustHaveRun(t, 1)
}

func TestNameTakesThePlaceOfTheRoute(t *testing.T) {
	f := new(function)
	store := idempotency.NewMemoryStore()
	orders, refunds := protect(f, store, idempotency.Name("order")), protect(f, store, idempotency.Name("refund"))
	mustAnswer(t, orders, request{key: "k", route: "$default", path: "/v1/orders"})
	mustRefuse(t, orders, request{key: "k", route: "$default", path: "/v2/orders"}, guard.Unprocessable, "idempotency_key_reused")
	mustAnswer(t, refunds, request{key: "k", route: "$default", path: "/v2/orders"})
	f.mustHaveRun(t, 2)
}

// SECURITY: Kept apart.
func TestRule02TenantsNeverMeet(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	seen := make(map[string]bool)
	for range 2 {
		for _, tenant := range []string{"", "a", "b"} {
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{TenantID: tenant})
			out, err := h.Invoke(ctx, request{key: "k"}.event())
			if err != nil {
				t.Fatal(err)
			}
			seen[tenant+" "+read(t, string(out)).Body] = true
		}
	}
	f.mustHaveRun(t, 3)
	if len(seen) != 3 {
		t.Errorf("answers %v", seen)
	}
}

func TestRule02FunctionsNeverMeet(t *testing.T) {
	f, store := new(function), idempotency.NewMemoryStore()
	name := lambdacontext.FunctionName
	defer func() { lambdacontext.FunctionName = name }()
	for _, name := range []string{"orders", "refunds"} {
		lambdacontext.FunctionName = name
		mustAnswer(t, protect(f, store), request{key: "k"})
	}
	f.mustHaveRun(t, 2)
}

// spy stores the records that a store gets.
type spy struct {
	idempotency.Store
	claims []idempotency.Record
}

func (s *spy) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.claims = append(s.claims, r)
	return s.Store.Claim(ctx, r)
}

func TestRule02StoredKeysAreShortAndTellNothing(t *testing.T) {
	s := &spy{Store: idempotency.NewMemoryStore()}
	h := protect(new(function), s)
	for range 2 {
		mustAnswer(t, h, request{key: "card-4111", authorizer: `{"lambda":{"principalId":"alice"}}`})
	}
	for _, r := range s.claims {
		if len(r.Key) != 43 || len(r.Fingerprint) != 43 || len(r.Owner) < 22 {
			t.Errorf("claimed %+v", r)
		}
	}
	if s.claims[0].Owner == s.claims[1].Owner {
		t.Error("two attempts are one owner")
	}
}

func TestScopeErrorsAreErrors(t *testing.T) {
	broken := errors.New("broken")
	fail := func(context.Context, *guard.Event) (string, error) { return "", broken }
	for name, opt := range map[string]idempotency.Option{"scope": idempotency.Scope(fail), "fingerprint": idempotency.Fingerprint(fail)} {
		f := new(function)
		if out, err := ask(t, protect(f, idempotency.NewMemoryStore(), opt), request{key: "k"}); !errors.Is(err, broken) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
		f.mustHaveRun(t, 0)
	}
}

// Who a layer has found out is the caller, whatever the gateway tells; and the
// same one as that whom the gateway's Lambda authorizer has told.
func TestRule02ThePrincipalOfALayerIsTheCaller(t *testing.T) {
	f, store := new(function), idempotency.NewMemoryStore()
	as := func(who string) lambda.Handler {
		return guard.Wrap(protect(f, store), func(next lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				layer.SetPrincipal(ctx, who)
				return next.Invoke(ctx, payload)
			})
		})
	}
	for _, who := range []string{"alice", "bob"} {
		if out := mustAnswer(t, as(who), request{key: "k"}); isReplay(out) {
			t.Errorf("%s got another's answer: %s", who, out)
		}
		for name, again := range map[string]string{
			"again":                 mustAnswer(t, as(who), request{key: "k"}),
			"behind an authorizer":  mustAnswer(t, protect(f, store), request{key: "k", authorizer: `{"lambda":{"principalId":"` + who + `"}}`}),
			"beside another's name": mustAnswer(t, as(who), request{key: "k", authorizer: `{"lambda":{"principalId":"mallory"}}`}),
		} {
			if !isReplay(again) {
				t.Errorf("%s %s is another caller: %s", who, name, again)
			}
		}
	}
	f.mustHaveRun(t, 2)
}

func TestAnEmptyFingerprintIsNone(t *testing.T) {
	s := &spy{Store: idempotency.NewMemoryStore()}
	none := func(context.Context, *guard.Event) (string, error) { return "", nil }
	mustAnswer(t, protect(new(function), s, idempotency.Fingerprint(none)), request{key: "k"})
	if got := s.claims[0].Fingerprint; got != "" {
		t.Errorf("got fingerprint %q, want none", got)
	}
}

func TestAnEmptyKeyIsNone(t *testing.T) {
	empty := func(context.Context, *guard.Event) (string, error) { return "", nil }
	f := new(function)
	h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), empty))
	mustRefuse(t, h, request{}, guard.Invalid, "idempotency_key_missing")
	f.mustHaveRun(t, 0)
}

// The key is that of the caller known when it was made: an answer for another one is
// neither returned nor stored.
func TestAPrincipalThatIsSetTooLateFailsClosed(t *testing.T) {
	f := &function{handle: func(ctx context.Context, run int64) ([]byte, error) {
		if run == 1 {
			_ = layer.SetPrincipal(ctx, "bob")
		}
		return fmt.Appendf(nil, `{"statusCode":200,"body":"run %d"}`, run), nil
	}}
	h := protect(f, idempotency.NewMemoryStore())
	if out, err := ask(t, h, request{key: "k"}); err == nil {
		t.Errorf("got %s, want an error", out)
	}
	if out := mustAnswer(t, h, request{key: "k"}); isReplay(out) {
		t.Errorf("got the replay %s, want another run", out)
	}
}
