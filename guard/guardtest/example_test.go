package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

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
	fn, err := guardtest.NewFunction(echo, guardtest.Config{Name: "orders", Timeout: time.Minute})
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

// A test of the binary that would be deployed, built for it.
func ExampleStart() {
	_ = func(t *testing.T) {
		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{
			Timeout: 5 * time.Second,
			Env:     []string{"AWS_SAM_LOCAL=true"},
		})
		result, err := fn.Invoke(t.Context(), []byte(`{"order":1}`))
		if err != nil {
			t.Fatalf("%v, and the function wrote\n%s", err, fn.Log())
		}
		t.Logf("%s", result.Payload)
	}
}

// A function with an extension beside it, as a layer's folder extensions would have it.
func ExampleConfig_extensions() {
	_ = func(t *testing.T) {
		layer := t.TempDir()
		shipper, err := guardtest.Compile(t.Context(), "./shipper", t.TempDir())
		if err == nil {
			err = os.Rename(shipper, filepath.Join(layer, "shipper")) // the name under which it registers
		}
		if err != nil {
			t.Fatal(err)
		}
		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{Extensions: layer, Freeze: true, Memory: 256})
		result, err := fn.Invoke(t.Context(), []byte(`{"order":1}`))
		if err != nil {
			t.Fatalf("%v, and they wrote\n%s", err, fn.Log())
		}
		took, err := result.PostRuntimeExtensionsDuration(t.Context())
		t.Logf("the extension was done %s after the answer (%v)", took, err)
	}
}

// A function that overruns is reported as Lambda reports it.
func ExampleFunctionError() {
	slow := lambda.NewHandler(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	fn := guardtest.NewInProcess(slow, guardtest.Config{Timeout: time.Millisecond})
	_, err := fn.Invoke(context.Background(), []byte(`{}`))
	var failure *guardtest.FunctionError
	fmt.Println(errors.As(err, &failure) && failure.Type == guardtest.TypeTimeout, errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}
