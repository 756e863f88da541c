package storetest_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
)

// The test of a store, in a file that ends in _test.go.
func ExampleRun() {
	testStore := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) idempotency.Store { return idempotency.NewMemoryStore() })
	}
	_ = testStore // its name is TestStore
}
