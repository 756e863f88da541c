package compare

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// BenchmarkGet measures one of two routes. The bare handler is for a
// gateway with a function for each route.
func BenchmarkGet(b *testing.B) {
	raw := payload(b, "get_order.json")
	ok := answers(http.StatusOK, `{"id":"o-1","status":"accepted"}`)
	bare := lambda.NewHandler(func(_ context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return bareAnswer(http.StatusOK, receipt{ID: in.PathParameters["id"], Status: "accepted"})
	})
	routes := httpapi.Routes(map[string]lambda.Handler{
		"POST /orders": post(),
		"GET /orders/{id}": httpapi.Func(func(ctx context.Context, _ struct{}) (receipt, error) {
			req, _ := httpapi.RequestFrom(ctx)
			return receipt{ID: req.PathValue("id"), Status: "accepted"}, nil
		}),
	})
	benchmark(b, "bare", bare, raw, ok)
	benchmark(b, "Routes", guard.Wrap(routes), raw, ok)
	benchmark(b, "+Problems,Recover,Deadline,Limit", guard.Wrap(routes, layers()), raw, ok)
	benchmark(b, "+Log", guard.Wrap(routes, logged(), layers()), raw, ok)
}
