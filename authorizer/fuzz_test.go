package authorizer_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// Of an event that somebody has made up: no panic; and whoever has no credential
// is not allowed, whatever else is in the event.
func FuzzRequest(f *testing.F) {
	for name, event := range sample.All() {
		if len(name) >= len("authorizer") && name[:len("authorizer")] == "authorizer" {
			f.Add(event.Bytes())
		}
	}
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"type":"TOKEN","authorizationToken":"x","methodArn":"arn:aws:execute-api:r:1:a/s/GET/*"}`,
		`{"authorizationToken":"","requestContext":{"apiId":"a"}}`, `{"type":"REQUEST","version":"1.0","requestContext":{"identity":{}}}`,
		`{"type":"REQUEST","version":"2.0","routeArn":"arn:aws:execute-api:r:1:a/s/GET/a","routeKey":"ANY /{p+}","identitySource":"a,b","requestContext":{"http":{"method":"GET"}}}`,
	} {
		f.Add([]byte(seed))
	}
	check := authorizer.Any(
		authorizer.Bearer(tokens{}),
		authorizer.APIKey("x-api-key", tokens{"k1-0123456789abcdef0123456789": {Principal: "shop"}}),
		authorizer.All(authorizer.ClientCert("CN="+"k2-0123456789abcdef0123456789"), authorizer.SourceIP("192.0.2.1")),
		authorizer.Routes(map[string]authorizer.Check{"GET /orders/{id}": authorizer.Bearer(tokens{}), "ANY /{p+}": authorizer.All(authorizer.Bearer(tokens{}), authorizer.Groups("g")), "$default": authorizer.Bearer(tokens{})}),
		looks(func(r *authorizer.Request) bool {
			readings(r)
			r.ARN()
			r.GraphQL()
			return false
		}),
	)
	granting := func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		readings(r)
		return &authorizer.Grant{Principal: "alice"}, nil
	}
	opts := []authorizer.Option{authorizer.CompleteRoutes()}
	refusing := []lambda.Handler{authorizer.Simple(check), authorizer.Policy(check, opts...), authorizer.AppSync(check), authorizer.Policy(check, authorizer.Uncached())}
	others := []lambda.Handler{authorizer.Simple(granting), authorizer.Policy(granting, opts...), authorizer.AppSync(granting), authorizer.Policy(granting, authorizer.Uncached())}
	f.Fuzz(func(t *testing.T, event []byte) {
		for _, h := range refusing {
			out, err := h.Invoke(t.Context(), event)
			if err != nil {
				continue
			}
			a, bad := decodeAnswer(string(out))
			if bad != nil {
				t.Fatalf("%s: %v", out, bad)
			}
			if a.IsAuthorized != nil && *a.IsAuthorized {
				t.Fatalf("%s is allowed: %s", event, out)
			}
			for _, s := range a.Policy.Statement {
				if s.Effect == "Allow" {
					t.Fatalf("%s is allowed: %s", event, out)
				}
			}
		}
		for _, h := range others {
			if out, err := h.Invoke(t.Context(), event); err == nil && !json.Valid(out) {
				t.Fatalf("%s: %s", event, out)
			}
		}
	})
}
