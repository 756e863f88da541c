package origin_test

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/origin"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// A consumer of one queue. A record of another queue refuses the batch.
func ExampleRequire() {
	book := guard.Func(func(_ context.Context, in events.SQSEvent) (string, error) {
		return fmt.Sprintf("booked %d", len(in.Records)), nil
	})
	h := guard.Wrap(book, origin.Require(
		origin.Account("123456789012"),
		origin.Source("arn:aws:sqs:us-east-1:123456789012:orders"),
	))

	own := sample.Of(guard.SQS).Messages(`{"sku":"KB-101"}`, `{"sku":"KB-102"}`)
	mixed := own.Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:other")
	for _, event := range []sample.Event{own, mixed} {
		out, err := h.Invoke(context.Background(), event.Bytes())
		fmt.Println(string(out), err != nil && guard.KindOf(err) == guard.Forbidden)
	}
	// Output:
	// "booked 2" false
	//  true
}

// An API behind a CDN, which adds a header with a secret. The cache of secrets is made
// once; this one reads the environment.
func ExampleHeader() {
	cache := secrets.New(secrets.Env())
	placeOrder := httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return // not in Lambda
	}
	httpapi.Start(placeOrder, logging.New(os.Stdout),
		origin.Require(
			origin.API("a1b2c3d4e5"),
			origin.Stage("prod"),
			origin.Header("X-Origin-Verify", cache, "CDN_SECRET"),
			origin.ForwardedIP(1, "192.0.2.0/24"), // of the clients, before the CDN
		),
	)
}

// Production runs the alias live. A test stage runs what was uploaded last.
func ExampleQualified() {
	rules := []origin.Rule{origin.Account("123456789012")}
	if os.Getenv("STAGE") != "test" {
		rules = append(rules, origin.Qualified("live"))
	}
	hello := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`"hello"`), nil })
	h := guard.Wrap(hello, origin.Require(rules...))

	for _, qualifier := range []string{":live", ":$LATEST", ""} {
		ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{
			InvokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders" + qualifier,
		})
		out, err := h.Invoke(ctx, sample.Of(guard.EventBridge).Bytes())
		fmt.Printf("%q %s %t\n", qualifier, out, err != nil)
	}
	// Output:
	// ":live" "hello" false
	// ":$LATEST"  true
	// ""  true
}

// A function with tenant isolation serves a caller for the caller's own tenant alone.
// The first Require needs no grant, the second one does.
func ExampleTenantClaim() {
	check := func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
		return &authorizer.Grant{Principal: "alice", Context: map[string]any{"tenant": "blue"}}, nil
	}
	hello := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("hello"), nil })
	h := guard.Wrap(hello,
		origin.Require(origin.Stage("prod")),
		authorizer.Require(check),
		origin.Require(origin.TenantClaim("tenant")),
	)
	for _, tenant := range []string{"blue", "green"} {
		ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{TenantID: tenant})
		out, err := h.Invoke(ctx, sample.HTTP("GET", "/orders").REST().Bytes())
		fmt.Printf("%s: %q, refused %t\n", tenant, out, err != nil)
	}
	// Output:
	// blue: "hello", refused false
	// green: "", refused true
}
