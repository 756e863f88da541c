package compare

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

type order struct {
	Customer string `json:"customer"`
	Items    []struct {
		SKU      string `json:"sku"`
		Quantity int    `json:"quantity"`
	} `json:"items"`
	Note string `json:"note"`
}

type receipt struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

const accepted = `{"id":"c-42","status":"accepted"}`

// barePost is the handler that others are compared with: it decodes event and
// body with encoding/json, and defends against nothing.
func barePost() lambda.Handler {
	return lambda.NewHandler(func(_ context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var o order
		if err := json.Unmarshal([]byte(in.Body), &o); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		return bareAnswer(http.StatusCreated, receipt{ID: o.Customer, Status: "accepted"})
	})
}

func bareAnswer(status int, r receipt) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(r)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}

// post is the same as a plain function.
func post() lambda.Handler {
	return httpapi.Func(func(_ context.Context, o order) (receipt, error) {
		return receipt{ID: o.Customer, Status: "accepted"}, nil
	}, httpapi.Status(http.StatusCreated))
}

// layers are those that any HTTP function has.
func layers() guard.Middleware {
	return guard.Chain(httpapi.Problems(), guard.Recover(), guard.Deadline(300*time.Millisecond), guard.Limit(guard.Limits{}))
}

func logged() guard.Middleware { return guard.Log(logging.New(io.Discard)) }

// invocation is the context that Lambda's runtime calls a handler with.
func invocation(b *testing.B) context.Context {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	b.Cleanup(cancel)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID:       "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
		InvokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:orders",
	})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	return context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5f84c7a7-4a1b2c3d4e5f60718293a4b5;Parent=53995c3f42cd8ad8;Sampled=1")
}

// benchmark measures a handler from bytes to bytes.
func benchmark(b *testing.B, name string, h lambda.Handler, raw []byte, check func(*testing.B, []byte)) {
	b.Run(name, func(b *testing.B) {
		ctx := invocation(b)
		out, err := h.Invoke(ctx, raw)
		if err != nil {
			b.Fatal(err)
		}
		check(b, out)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.Invoke(ctx, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// answers checks status and body of an answer, and a body of "" not at all.
func answers(status int, body string) func(*testing.B, []byte) {
	return func(b *testing.B, out []byte) {
		b.Helper()
		var got events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out, &got); err != nil {
			b.Fatalf("%s: %v", out, err)
		}
		if got.StatusCode != status || body != "" && got.Body != body {
			b.Fatalf("answered %d %s, want %d %s", got.StatusCode, got.Body, status, body)
		}
	}
}
