package authorizer_test

import (
	"context"
	"maps"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

// What authorizers count is in TestEveryEventAndEveryOutcome.
func TestDenialsInTheFunctionAreCounted(t *testing.T) {
	api := sample.Of(guard.HTTPAPI)
	require := authorizer.Require(authorizer.All(authorizer.Bearer(alice("a")), authorizer.Scopes("a")))
	for _, tc := range []struct {
		what    string
		layer   guard.Middleware
		event   sample.Event
		denials int
	}{
		{what: "Require, a grant", layer: require, event: api.Set("/headers/authorization", bearer)},
		{what: "Require, no credential", layer: require, event: api.Set("/headers/authorization", ""), denials: 1},
		{what: "Require, an unknown token", layer: require, event: api.Set("/headers/authorization", "Bearer other"), denials: 1},
		{
			what:  "Require, a scope that is lacking",
			layer: authorizer.Require(authorizer.All(authorizer.Bearer(alice("a")), authorizer.Scopes("b"))),
			event: api.Set("/headers/authorization", bearer), denials: 1,
		},
		{what: "Require, a broken check", layer: authorizer.Require(fails(errBroken)), event: api},
		{what: "Require, a caller's fault that is no denial", layer: authorizer.Require(fails(guard.Errorf(guard.Invalid, "bad", ""))), event: api},
		{
			what:  "Require, one of two checks denies",
			layer: authorizer.Require(authorizer.Any(authorizer.Bearer(alice()), grants(&authorizer.Grant{Principal: "bob"}))), event: api,
		},
		{what: "Require, no HTTP request", layer: require, event: sample.Of(guard.SQS)},
		{what: "FromGateway, a grant", layer: authorizer.FromGateway(), event: authorized(api, jwt(map[string]any{"sub": "alice"}, nil))},
		{what: "FromGateway, nobody", layer: authorizer.FromGateway(), event: authorized(api, nil), denials: 1},
	} {
		want := map[string]int{}
		if tc.denials > 0 {
			want[layer.Denials] = tc.denials
		}
		var got map[string]int
		h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }), tc.layer)
		_, err := counttest.Handler(h, &got).Invoke(t.Context(), tc.event.Bytes())
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v beside %v, want %v", tc.what, got, err, want)
		}
	}
}
