package httpapi_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A layer announces when an API ends (RFC 8594), also in its problems.
func ExampleHeaderLayer() {
	sunset := httpapi.HeaderLayer("orders.Sunset", func(ctx context.Context, payload []byte, header http.Header, next lambda.Handler) ([]byte, error) {
		header.Set("Sunset", "Thu, 31 Dec 2026 23:59:59 GMT")
		return next.Invoke(ctx, payload)
	})
	gone := httpapi.Func(func(context.Context, struct{}) (struct{}, error) {
		return struct{}{}, guard.Errorf(guard.NotFound, "no_order", "There is no such order.")
	})
	h := guard.Wrap(gone, httpapi.Problems(), sunset)
	out, err := h.Invoke(context.Background(), sample.HTTP("GET", "/orders/1").Bytes())
	fmt.Println(string(out), err)
	// Output: {"statusCode":404,"headers":{"content-type":"application/problem+json","sunset":"Thu, 31 Dec 2026 23:59:59 GMT"},"body":"{\"type\":\"about:blank\",\"title\":\"Not found\",\"status\":404,\"detail\":\"There is no such order.\",\"code\":\"no_order\"}","isBase64Encoded":false} <nil>
}
