package awscalls_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/awscalls"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
)

// All clients of a config send the trace of the invocation that calls them.
func ExampleInstrument() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	awscalls.Instrument(&cfg)
	_ = dynamodb.NewFromConfig(cfg)
	_ = sqs.NewFromConfig(cfg)
}

// With a message go the trace, the correlation id and the hop counter.
func ExampleInstrument_messages() {
	cfg := aws.Config{Region: "eu-central-1"}
	awscalls.Instrument(&cfg)
	_ = sqs.NewFromConfig(cfg, sqshops.Carry)
}

// What a service gets.
func ExampleInstrument_header() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("X-Amzn-Trace-Id"))
		_, _ = fmt.Fprint(w, `{"TableNames":[]}`)
	}))
	defer service.Close()
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: &service.URL, Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		},
	)}
	awscalls.Instrument(&cfg)

	// The handler's context, as aws-lambda-go makes it.
	//lint:ignore SA1029 the key that aws-lambda-go uses
	ctx := context.WithValue(context.Background(), "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	if _, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, nil); err != nil {
		fmt.Println(err)
	}
	// Output: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
}
