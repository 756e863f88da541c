package idempotency_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/proptest/historytest"
)

func TestHistoriesOfTheMemoryStore(t *testing.T) {
	store := idempotency.NewMemoryStore()
	var sys historytest.System
	for range 5 {
		sys.Processes = append(sys.Processes, historytest.Local(store))
	}
	historytest.Check(t, sys)
}
