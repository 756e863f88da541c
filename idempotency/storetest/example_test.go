package storetest_test

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
)

// The test of a store, in a file that ends in _test.go.
func ExampleRun() {
	testStore := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) idempotency.Store { return idempotency.NewMemoryStore() })
	}
	_ = testStore // its name is TestStore
}

// named is a store with a name for the metrics of a service.
type named struct {
	idempotency.Store
	name string
}

// A store that wraps another one keeps the same rules.
func ExampleRun_wrapped() {
	testNamed := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) idempotency.Store {
			return named{Store: idempotency.NewMemoryStore(), name: "orders"}
		})
	}
	_ = testNamed // its name is TestNamed
}

// A store behind a server is skipped where there is none. All tests use one table.
func ExampleRun_server() {
	testTable := func(t *testing.T) {
		endpoint := os.Getenv("DYNAMODB_ENDPOINT")
		if endpoint == "" {
			t.Skip("DYNAMODB_ENDPOINT is not set")
		}
		client := dynamodb.NewFromConfig(aws.Config{Region: "eu-west-1"}, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint })
		storetest.Run(t, func(*testing.T) idempotency.Store { return dynamo.New(client, "keys") })
	}
	_ = testTable // its name is TestTable
}
