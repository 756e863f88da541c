package request_test

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard/request"
)

const getOrder = `{"version":"2.0","routeKey":"GET /orders/{id}","rawPath":"/v1/orders/o%201","rawQueryString":"full=1&tag=a&tag=b",
	"headers":{"X-Trace":"t-1"},"pathParameters":{"id":"o 1"},
	"requestContext":{"domainName":"api.example.com","http":{"method":"GET","sourceIp":"192.0.2.1"},
		"authorizer":{"jwt":{"claims":{"iss":"https://issuer.example","sub":"u-1"}}}}}`

func ExampleRead() {
	r, err := request.Read([]byte(getOrder))
	fmt.Println(r.Trigger(), r.Method(), r.Header("x-trace"), r.Query()["tag"], r.SourceIP(), err)
	// Output: http-api GET t-1 [a b] 192.0.2.1 <nil>
}

// The path is decoded once. A path that two readers could read differently is
// refused by routers.
func ExampleRequest_Path() {
	for _, path := range []string{"/orders/o-1", "/orders/%2561dmin", "/orders//o-1"} {
		r, _ := request.Read([]byte(`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"` + path + `"}`))
		fmt.Println(r.Path())
	}
	// Output:
	// /orders/o-1 true
	// /orders/%61dmin false
	// /orders//o-1 false
}

// The caller is who the gateway has authenticated.
func ExampleRequest_Caller() {
	r, _ := request.Read([]byte(getOrder))
	caller, err := r.Caller()
	fmt.Println(caller.Kind, caller.Parts, err)
	// Output: jwt [https://issuer.example u-1] <nil>
}
