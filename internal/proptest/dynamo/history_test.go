package dynamo_test

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/internal/proptest/historytest"
)

// Five processes on one table, with clocks that are up to 20 minutes apart.
func TestHistories(t *testing.T) {
	url := servers.DynamoDB(t).URL()
	name := table(t, connect(url))
	sys := historytest.System{ExpiryGrain: 2 * time.Second} // of whole ones, up here and down there
	for _, skew := range []time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute, 5 * time.Millisecond} {
		n := new(network)
		store := dynamo.New(n.client(t, url), name, dynamo.Clock(func() time.Time { return time.Now().Add(skew) }))
		sys.Processes = append(sys.Processes, historytest.Process{Store: store, Network: n, Skew: skew})
	}
	historytest.Check(t, sys)
}
