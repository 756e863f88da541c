package authorizer_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/guard"
)

// What a decision costs over reading the event, which anyone has to do: with
// encoding/json as aws-lambda-go does it, and with the strict decoder.
func BenchmarkSimple(b *testing.B) {
	keys := func(n int) authorizer.Verifier {
		keys := map[string]authorizer.Grant{apikey.Hash(bearer): {Principal: "alice"}}
		for i := range n {
			keys[apikey.Hash(fmt.Sprint(bearer, i))] = authorizer.Grant{Principal: "p"}
		}
		return apikey.Hashed(keys)
	}
	denied := func(context.Context, events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{}, nil
	}
	routed := sampleOf("").Set("/identitySource", []string{bearer, routeKey}).Bytes()
	for _, bb := range []struct {
		name string
		h    lambda.Handler
	}{
		{name: "event alone, lambda.NewHandler", h: lambda.NewHandler(denied)},
		{name: "event alone, guard.Func", h: guard.Func(denied)},
		{name: "a key of 10", h: authorizer.Simple(authorizer.APIKey("authorization", keys(9)))},
		{name: "a key of 1000", h: authorizer.Simple(authorizer.APIKey("authorization", keys(999)))},
		{
			name: "a key of 10 and a route",
			h:    authorizer.Simple(authorizer.All(authorizer.APIKey("authorization", keys(9)), onRoute(looks(func(*authorizer.Request) bool { return true })))),
		},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bb.h.Invoke(b.Context(), routed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A policy of a table asks its check about each route.
func BenchmarkPolicy(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		routes := map[string]authorizer.Check{}
		for i := range n {
			routes[fmt.Sprintf("GET /%d", i)] = authorizer.Scopes("s")
		}
		h := authorizer.Policy(authorizer.All(authorizer.Bearer(alice("s")), authorizer.Routes(routes)))
		event := sampleOf("token").Set("/methodArn", stageARN+"GET/0").Bytes()
		b.Run(fmt.Sprint(n, " routes"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
