package compare

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
)

// BenchmarkAuthorizer measures a decision on an API key. The bare handler
// decodes the event and grants it unseen.
func BenchmarkAuthorizer(b *testing.B) {
	raw := payload(b, "authorize.json")
	bare := lambda.NewHandler(func(context.Context, events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true}, nil
	})
	keys := map[string]authorizer.Grant{}
	for i := range 10 {
		hash := apikey.Hash(fmt.Sprintf("k-%d-Zm9ydHktdHdvLWlzLXRoZS1hbnN3ZXI", i))
		keys[hash] = authorizer.Grant{Principal: fmt.Sprint("client-", i)}
	}
	granted := func(b *testing.B, out []byte) {
		b.Helper()
		if !bytes.Contains(out, []byte(`"isAuthorized":true`)) {
			b.Fatalf("answered %s", out)
		}
	}
	benchmark(b, "bare", bare, raw, granted)
	benchmark(b, "Simple,key-of-ten", authorizer.Simple(authorizer.APIKey("x-api-key", apikey.Hashed(keys))), raw, granted)
}
