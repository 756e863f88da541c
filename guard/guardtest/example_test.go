package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func greet(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "text/plain"},
		Cookies:    []string{"seen=" + r.PathParameters["name"]},
		Body:       "Hello, " + r.PathParameters["name"] + ": " + r.Body,
	}, nil
}

// An HTTP API before a handler, in process.
func ExampleNewHTTPAPI() {
	fn := guardtest.NewInProcess(lambda.NewHandler(greet), guardtest.Config{})
	api, err := guardtest.NewHTTPAPI(fn, guardtest.HTTPAPIConfig{Routes: []string{"POST /greet/{name}"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(api)
	defer server.Close()

	for _, path := range []string{"/greet/you", "/other"} {
		res, err := http.Post(server.URL+path, "text/plain", strings.NewReader("how are you?"))
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Println(res.StatusCode, string(body), res.Header["Set-Cookie"])
	}
	// Output:
	// 200 Hello, you: how are you? [seen=you]
	// 404 {"message":"Not Found"} []
}

// An error is what Lambda's caller sees of it.
func ExampleInProcess() {
	fn := guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, name string) (string, error) {
		if name == "" {
			return "", errors.New("nobody to greet")
		}
		return "Hello, " + name, nil
	}), guardtest.Config{})

	result, err := fn.Invoke(context.Background(), []byte(`"you"`))
	fmt.Println(string(result.Payload), err)

	_, err = fn.Invoke(context.Background(), []byte(`""`))
	var failure *guardtest.FunctionError
	if errors.As(err, &failure) {
		fmt.Println(failure.Type)
		fmt.Println(string(failure.Payload))
	}
	// Output:
	// "Hello, you" <nil>
	// errorString
	// {"errorMessage":"nobody to greet","errorType":"errorString"}
}

// The binary that would be deployed, with Lambda's limits around it.
func ExampleFunction() {
	fn, err := guardtest.NewFunction(echo, guardtest.Config{Name: "orders"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fn.Close()

	result, err := fn.Invoke(context.Background(), []byte(`{"do":"echo"}`))
	fmt.Println(string(result.Payload), err)

	_, err = fn.Do(context.Background(), guardtest.Call{RequestID: "r-1", Payload: []byte(`{"do":"exit"}`)})
	fmt.Println(err)

	result, err = fn.Invoke(context.Background(), []byte(`{"do":"echo","text":"a new process"}`))
	fmt.Println(string(result.Payload), err)
	// Output:
	// {"do":"echo"} <nil>
	// Runtime.ExitError: RequestId: r-1 Error: Runtime exited with error: exit status 7
	// {"do":"echo","text":"a new process"} <nil>
}
