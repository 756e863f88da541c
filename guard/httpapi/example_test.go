package httpapi_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// event is what an HTTP API sends for a request.
func event(method, path, body string) []byte {
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":"$default","rawPath":%q,"headers":{"content-type":"application/json"},`+
		`"requestContext":{"http":{"method":%q,"path":%q},"stage":"$default"},"body":%q}`, path, method, path, body)
}

func show(out []byte, err error) {
	fmt.Println(string(out), err)
}

func ExampleFunc() {
	type order struct {
		SKU string `json:"sku"`
		N   int    `json:"n"`
	}
	type receipt struct {
		Status string `json:"status"`
	}
	h := httpapi.Func(func(_ context.Context, in order) (receipt, error) {
		return receipt{Status: fmt.Sprintf("%d of %s", in.N, in.SKU)}, nil
	})
	show(h.Invoke(context.Background(), event("POST", "/orders", `{"sku":"KB-101","n":2}`)))
	// The schema that checks "n" and the struct that takes "N" would differ.
	show(h.Invoke(context.Background(), event("POST", "/orders", `{"sku":"KB-101","n":2,"N":900}`)))
	// Output:
	// {"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"status\":\"2 of KB-101\"}","isBase64Encoded":false} <nil>
	//  case_variant_member: The member's name differs from a known one in case alone.
}

func ExampleCreated() {
	type receipt struct {
		ID string `json:"id"`
	}
	h := httpapi.Func(func(context.Context, struct{}) (httpapi.Reply[receipt], error) {
		return httpapi.Created("/orders/o-1", receipt{ID: "o-1"}), nil
	})
	show(h.Invoke(context.Background(), event("POST", "/orders", ``)))
	// Output:
	// {"statusCode":201,"headers":{"location":"/orders/o-1","content-type":"application/json"},"body":"{\"id\":\"o-1\"}","isBase64Encoded":false} <nil>
}

func ExampleHandler() {
	h := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		return httpapi.Response{
			Header: http.Header{"Content-Type": {"text/csv"}},
			Body:   []byte("path," + r.Path + "\n"),
		}, nil
	})
	show(h.Invoke(context.Background(), event("GET", "/report", ``)))
	// Output:
	// {"statusCode":200,"headers":{"content-type":"text/csv"},"body":"path,/report\n","isBase64Encoded":false} <nil>
}

func ExampleRoutes() {
	h := httpapi.Routes(map[string]lambda.Handler{
		"GET /orders/{id}": httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
			r, _ := httpapi.RequestFrom(ctx)
			return "order " + r.PathValue("id"), nil
		}),
		"GET /health": httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }),
	})
	show(h.Invoke(context.Background(), event("GET", "/orders/o-1", ``)))
	show(h.Invoke(context.Background(), event("GET", "/health", ``)))
	show(h.Invoke(context.Background(), event("DELETE", "/orders/o-1", ``)))
	// Output:
	// {"statusCode":200,"headers":{"content-type":"application/json"},"body":"\"order o-1\"","isBase64Encoded":false} <nil>
	// {"statusCode":204,"headers":{},"body":"","isBase64Encoded":false} <nil>
	//  method_not_allowed: The resource does not have this method.
}

func ExampleServe() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		fmt.Fprintf(w, "hello %s", r.PathValue("name"))
	})
	show(httpapi.Serve(mux).Invoke(context.Background(), event("GET", "/hello/you", ``)))
	// Output:
	// {"statusCode":200,"headers":{"content-type":"text/plain; charset=utf-8"},"cookies":["seen=1"],"body":"hello you","isBase64Encoded":false} <nil>
}

func ExampleProblems() {
	h := httpapi.Func(func(context.Context, struct{}) (struct{}, error) {
		cause := fmt.Errorf("dial tcp 10.0.0.7:5432: refused")
		return struct{}{}, fmt.Errorf("load the order: %w", guard.Errorf(guard.Unavailable, "database_down", "Try again later: %w", cause))
	})
	show(guard.Wrap(h, httpapi.Problems()).Invoke(context.Background(), event("GET", "/orders/o-1", ``)))
	// Output:
	// {"statusCode":503,"headers":{"content-type":"application/problem+json"},"body":"{\"type\":\"about:blank\",\"title\":\"Service unavailable\",\"status\":503,\"detail\":\"Try again later\",\"code\":\"database_down\"}","isBase64Encoded":false} <nil>
}

func ExampleCORS() {
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (string, error) { return "v", nil }),
		httpapi.CORS(httpapi.CORSConfig{Origins: []string{"https://shop.example"}}))
	payload := `{"version":"2.0","rawPath":"/","headers":{"origin":"https://shop.example"},"requestContext":{"http":{"method":"GET"}}}`
	show(h.Invoke(context.Background(), []byte(payload)))
	// Output:
	// {"statusCode":200,"headers":{"content-type":"application/json","vary":"Origin","access-control-allow-origin":"https://shop.example"},"body":"\"v\"","isBase64Encoded":false} <nil>
}
