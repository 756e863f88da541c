// Command authorizer is an authorizer whose tokens say what it does. It answers
// in both forms at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Version    string
	RouteKey   string
	HTTPMethod string
	Path       string
	RouteARN   string `json:"routeArn"`
	MethodARN  string `json:"methodArn"`
	Headers    map[string]string
}

func main() {
	fmt.Println("the token is let-me-in")
	fmt.Println("init of", os.Getpid())
	switch os.Getenv("AUTHORIZER_INIT") {
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	}
	lambda.Start(decide)
}

func decide(_ context.Context, e event) (any, error) {
	token, arn := e.Headers["authorization"]+e.Headers["Authorization"], e.RouteARN+e.MethodARN
	fmt.Println("asked about", e.RouteKey+e.HTTPMethod+e.Path, "by", token)
	effect := "Deny"
	switch token {
	case "error":
		return nil, errors.New("no database")
	case "unauthorized":
		return nil, errors.New("Unauthorized") // the text is API Gateway's
	case "exit":
		os.Exit(7)
	case "let-me-in":
		effect = "Allow"
	}
	return map[string]any{
		"isAuthorized": effect == "Allow",
		"principalId":  "u-1",
		"policyDocument": map[string]any{
			"Version":   "2012-10-17",
			"Statement": []any{map[string]string{"Effect": effect, "Action": "execute-api:Invoke", "Resource": arn}},
		},
		"context": map[string]any{"version": e.Version, "local": os.Getenv("AWS_SAM_LOCAL"), "name": os.Getenv("AWS_LAMBDA_FUNCTION_NAME")},
	}, nil
}
