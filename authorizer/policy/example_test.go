package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
)

// A path that a client has sent cannot become a wildcard.
func ExampleDocument() {
	for _, path := range []string{"/orders/42", "/orders/*"} {
		call, err := policy.ParseARN("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET" + path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		var doc policy.Document
		if err := doc.Allow(call); err != nil {
			fmt.Println(err)
			continue
		}
		text, _ := json.Marshal(doc)
		fmt.Println(string(text))
	}
	// Output:
	// {"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/42"]}]}
	// policy: an ARN with a wildcard in it: it would match more than this call
}

func ExampleParseARN() {
	call, err := policy.ParseARN("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/42")
	fmt.Println(call.Stage, call.Method, call.Path, err)
	_, err = policy.ParseARN("arn:aws:s3:::bucket/key")
	fmt.Println(err)
	// Output:
	// prod GET /orders/42 <nil>
	// policy: not the ARN of an API call: it begins with arn:PARTITION:execute-api:
}

// "/orders/*" would also allow the refunds of an order.
func ExampleDocument_AllowRoutes() {
	stage, _ := policy.ParseARN("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/")
	var doc policy.Document
	err := doc.AllowRoutes(stage, []policy.Route{
		{Key: "GET /orders/{id}", Method: "GET", Granted: true},
		{Key: "GET /orders/{id}/refunds", Method: "GET"},
	}, policy.RESTAPI)
	var overlap *policy.OverlapError
	fmt.Println(errors.As(err, &overlap), err)
	// Output:
	// true no policy allows GET /orders/{id} without GET /orders/{id}/refunds
}
