package valkey_test

import (
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	valkeygo "github.com/valkey-io/valkey-go"
)

func TestClusterIsAStore(t *testing.T) {
	cluster := testserver.ValkeyCluster(t)
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{cluster[0].Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if client.Mode() != valkeygo.ClientModeCluster {
		t.Fatalf("the client's mode is %v", client.Mode())
	}
	if err := client.Do(t.Context(), client.B().Eval().Script("return redis.call('GET', 'b')").Numkeys(1).Key("a").Build()).Error(); err == nil {
		t.Fatal("a script may touch keys that it does not name, which would prove nothing of those of the store")
	}
	kept := func() (records [3]int64) {
		t.Helper()
		for i, node := range cluster {
			c := connect(t, node.Addr())
			if records[i], err = c.Do(t.Context(), c.B().Dbsize().Build()).AsInt64(); err != nil {
				t.Fatal(err)
			}
		}
		return records
	}

	storetest.Run(t, func(*testing.T) idempotency.Store { return valkey.New(client) })
	spread := kept()
	for i, n := range spread {
		if n == 0 {
			t.Errorf("node %d has no records", i)
		}
	}

	t.Run("a prefix with a hash tag keeps records on one node", func(t *testing.T) {
		store := valkey.New(client, valkey.Prefix("{"+rand.Text()+"}:"))
		for range 50 {
			mustClaim(t, store, attempt(time.Now()))
		}
		grown := 0
		for i, n := range kept() {
			if n > spread[i] {
				grown++
			}
		}
		if grown != 1 {
			t.Errorf("%d nodes have more records", grown)
		}
	})

	t.Run("a key that has moved to another node is found", func(t *testing.T) {
		store, r := valkey.New(client), attempt(time.Now())
		for !moveSlot(t, cluster, "idempotency:"+r.Key) {
			r = attempt(time.Now())
		}
		mustClaim(t, store, r)
		mustBeHeld(t, store, another(r, 2), r, idempotency.InProgress)
		if err := store.Complete(t.Context(), done(r, "result")); err != nil {
			t.Error(err)
		}
	})

	// Last, as it breaks the cluster for a while.
	t.Run("a node that is gone takes only its own keys with it", func(t *testing.T) {
		store := valkey.New(client)
		cluster[2].Stop()
		var claimed, failed atomic.Int64
		var claims sync.WaitGroup
		for range 90 { // of which, by chance, none is on a given node once in 10^15 runs
			claims.Go(func() {
				switch _, err := store.Claim(t.Context(), attempt(time.Now())); {
				case err == nil:
					claimed.Add(1)
				case errors.Is(err, idempotency.ErrHeld):
					t.Error("held")
				default:
					failed.Add(1)
				}
			})
		}
		claims.Wait()
		if claimed.Load() == 0 || failed.Load() == 0 {
			t.Errorf("%d claims, %d failures", claimed.Load(), failed.Load())
		}
	})
}

// moveSlot gives the slot of a key to the next node, unless there are keys in it.
func moveSlot(t *testing.T, cluster []*testserver.Server, key string) bool {
	t.Helper()
	clients := make([]valkeygo.Client, len(cluster))
	for i, node := range cluster {
		clients[i] = connect(t, node.Addr())
	}
	number := func(c valkeygo.Client, command ...string) int64 {
		t.Helper()
		n, err := c.Do(t.Context(), c.B().Arbitrary(command...).Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := number(clients[0], "CLUSTER", "KEYSLOT", key)
	slot, owner := strconv.FormatInt(n, 10), int(n)*len(cluster)>>14
	if number(clients[owner], "CLUSTER", "COUNTKEYSINSLOT", slot) > 0 {
		return false
	}
	next := (owner + 1) % len(cluster)
	id, err := clients[next].Do(t.Context(), clients[next].B().ClusterMyid().Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	for i := range cluster { // the new one first
		c := clients[(next+i)%len(cluster)]
		if err := c.Do(t.Context(), c.B().Arbitrary("CLUSTER", "SETSLOT", slot, "NODE", id).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	return true
}
