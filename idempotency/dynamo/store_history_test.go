package dynamo_test

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/historytest"
)

// Five processes on one table, with clocks that are up to 20 minutes apart.
func TestHistories(t *testing.T) {
	url := servers.DynamoDB(t).URL()
	name := table(t, connect(url), "")
	sys := historytest.System{ExpiryGrain: 2 * time.Second} // of whole ones, up here and down there
	for _, skew := range []time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute, 5 * time.Millisecond} {
		n := new(network)
		store := dynamo.New(n.client(t, url), name)
		store.SetClock(func() time.Time { return time.Now().Add(skew) })
		sys.Processes = append(sys.Processes, historytest.Process{Store: store, Network: n, Skew: skew})
	}
	historytest.Check(t, sys)
}

// A claim is taken as of one moment: it is never told that a lease is over which
// it was there to take over.
func TestLeaseThatEndsDuringAClaimIsTakenOver(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	store := dynamo.New(client, table(t, client, ""))
	now := time.Now()
	first, second := record("k", 1, time.Minute), record("k", 2, time.Hour)
	if _, err := store.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	store.SetClock(func() time.Time { // a minute later each time
		defer func() { now = now.Add(time.Minute) }()
		return now.Add(30 * time.Second)
	})
	if held, err := store.Claim(t.Context(), second); err != nil {
		t.Errorf("%v, held by %+v", err, held)
	}
}
