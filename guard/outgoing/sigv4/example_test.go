package sigv4_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// A function calls an API with IAM authorization, as its role.
func ExampleTransport() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	const host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
	client := &http.Client{Transport: sigv4.Transport(nil, cfg.Credentials, cfg.Region, "execute-api", host)}
	_, _ = client.Get("https://" + host + "/orders/1")
}

// A function URL of type AWS_IAM; here one of the test kit.
func ExampleTransport_functionURL() {
	jane := gateway.IAMCaller{AccessKeyID: "AKIDJANE", SecretAccessKey: "secret", ARN: "arn:aws:iam::123456789012:user/jane"}
	hello := guardtest.NewInProcess(httpapi.Func(func(context.Context, struct{}) (string, error) { return "hello", nil }), guardtest.Config{})
	api, err := gateway.NewHTTPAPI(hello, gateway.HTTPAPIConfig{FunctionURL: true, IAM: &gateway.IAMAuthorizer{Callers: []gateway.IAMCaller{jane}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(api)
	defer server.Close()

	creds := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: jane.AccessKeyID, SecretAccessKey: jane.SecretAccessKey}, nil
	})
	for _, client := range []*http.Client{
		http.DefaultClient,
		{Transport: sigv4.Transport(nil, creds, "us-east-1", "lambda", "127.0.0.1")},
	} {
		res, err := client.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = res.Body.Close()
		fmt.Println(res.Status)
	}
	// Output:
	// 403 Forbidden
	// 200 OK
}

// A service of VPC Lattice, which also gets the ids of the invocation.
func ExampleTransport_lattice() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	host := os.Getenv("STOCK_HOST") // stock-02f7d3a42.1234abc.vpc-lattice-svcs.eu-central-1.on.aws
	signed := sigv4.Transport(nil, cfg.Credentials, cfg.Region, "vpc-lattice-svcs", host)
	client := &http.Client{Transport: outgoing.Transport(signed, outgoing.Hosts(host))}
	_, _ = client.Get("https://" + host + "/sku/1")
}
