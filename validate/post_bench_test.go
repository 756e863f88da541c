package validate_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
)

//go:embed testdata/order.schema.json
var orderSchema []byte

const orderEvent = `{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{"accept":"*/*","accept-encoding":"gzip, deflate, br","content-length":"160","content-type":"application/json","host":"abcdef1234.execute-api.eu-central-1.amazonaws.com","user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","x-amzn-trace-id":"Root=1-5f84c7a7-4a1b2c3d4e5f60718293a4b5","x-forwarded-for":"203.0.113.7","x-forwarded-port":"443","x-forwarded-proto":"https"},"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","domainName":"abcdef1234.execute-api.eu-central-1.amazonaws.com","domainPrefix":"abcdef1234","http":{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},"requestId":"JKJaXmPLvHcESHA=","routeKey":"POST /orders","stage":"$default","time":"10/Mar/2026:05:16:23 +0000","timeEpoch":1773119783000},"body":"{\"customer\":\"c-42\",\"items\":[{\"sku\":\"KB-101\",\"quantity\":2},{\"sku\":\"MS-200\",\"quantity\":1},{\"sku\":\"CB-300\",\"quantity\":12}],\"note\":\"ring twice, please leave it here\"}","isBase64Encoded":false}`

type orderItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type order struct {
	Customer string      `json:"customer"`
	Items    []orderItem `json:"items"`
	Note     string      `json:"note"`
}

type accepted struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// The bare handler decodes event and body with encoding/json and defends
// against nothing; the defended one has every layer, the schema included.
func BenchmarkPost(b *testing.B) {
	bare := lambda.NewHandler(func(_ context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var o order
		if err := json.Unmarshal([]byte(in.Body), &o); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		body, err := json.Marshal(accepted{ID: o.Customer, Status: "accepted"})
		return events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{"content-type": "application/json"}, Body: string(body)}, err
	})
	fn := httpapi.Func(func(_ context.Context, o order) (accepted, error) {
		return accepted{ID: o.Customer, Status: "accepted"}, nil
	}, httpapi.Status(http.StatusCreated))
	outer := []guard.Middleware{guard.Log(guard.NewLogger(io.Discard)), httpapi.Problems(), guard.Recover(), guard.Deadline(300 * time.Millisecond), guard.Limit(guard.Limits{})}
	schema := validate.MustCompile(orderSchema)
	for _, bm := range []struct {
		name string
		h    lambda.Handler
	}{
		{"bare", bare},
		{"without-schema", guard.Wrap(fn, outer...)},
		{"with-schema", guard.Wrap(fn, append(outer, validate.Body(schema))...)},
		{"with-the-library-alone", guard.Wrap(fn, append(outer, validate.Body(schemaFunc(schema.Validate)))...)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Hour))
			defer cancel()
			ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd"})
			payload := []byte(orderEvent)
			out, err := bm.h.Invoke(ctx, payload)
			if err != nil || !strings.Contains(string(out), "accepted") {
				b.Fatalf("%s, %v", out, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bm.h.Invoke(ctx, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
