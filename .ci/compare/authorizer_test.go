package compare

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
)

// BenchmarkAuthorizer measures a decision on an API key. The bare handler
// decodes the event and grants it unseen.
func BenchmarkAuthorizer(b *testing.B) {
	raw := payload(b, "authorize.json")
	bare := lambda.NewHandler(func(context.Context, events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true}, nil
	})
	var keys []authorizer.Key
	for i := range 10 {
		keys = append(keys, authorizer.Key{
			Hash:      authorizer.HashKey(fmt.Sprintf("k-%d-Zm9ydHktdHdvLWlzLXRoZS1hbnN3ZXI", i)),
			Principal: fmt.Sprint("client-", i),
		})
	}
	granted := func(b *testing.B, out []byte) {
		b.Helper()
		if !bytes.Contains(out, []byte(`"isAuthorized":true`)) {
			b.Fatalf("answered %s", out)
		}
	}
	benchmark(b, "bare", bare, raw, granted)
	benchmark(b, "Simple,key-of-ten", authorizer.Simple(authorizer.APIKey("x-api-key", authorizer.Keys(keys...))), raw, granted)
}
