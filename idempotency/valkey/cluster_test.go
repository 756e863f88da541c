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

	t.Run("a key that is on its way to another node is found", func(t *testing.T) {
		store, r := valkey.New(client), attempt(time.Now())
		nodes := newNodes(t, cluster)
		slot, owner := nodes.slotOf("idempotency:" + r.Key)
		next := (owner + 1) % len(cluster)
		nodes.mustDo(next, "CLUSTER", "SETSLOT", slot, "IMPORTING", nodes.id(owner))
		nodes.mustDo(owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", nodes.id(next))
		before := nodes.number(next, "DBSIZE")
		mustClaim(t, store, r)
		mustBeHeld(t, store, another(r, 2), r, idempotency.InProgress)
		if err := store.Complete(t.Context(), done(r, "result")); err != nil {
			t.Error(err)
		}
		if n := nodes.number(next, "DBSIZE"); n != before+1 {
			t.Errorf("the new node has %d keys, and had %d", n, before)
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

// nodes are clients of each node of a cluster.
type nodes struct {
	t       *testing.T
	clients []valkeygo.Client
}

func newNodes(t *testing.T, cluster []*testserver.Server) nodes {
	t.Helper()
	n := nodes{t: t}
	for _, node := range cluster {
		n.clients = append(n.clients, connect(t, node.Addr()))
	}
	return n
}

func (n nodes) ask(node int, command ...string) valkeygo.ValkeyResult {
	c := n.clients[node]
	return c.Do(n.t.Context(), c.B().Arbitrary(command...).Build())
}

func (n nodes) mustDo(node int, command ...string) {
	n.t.Helper()
	if err := n.ask(node, command...).Error(); err != nil {
		n.t.Fatal(err)
	}
}

func (n nodes) number(node int, command ...string) int64 {
	n.t.Helper()
	number, err := n.ask(node, command...).AsInt64()
	if err != nil {
		n.t.Fatal(err)
	}
	return number
}

func (n nodes) id(node int) string {
	n.t.Helper()
	id, err := n.ask(node, "CLUSTER", "MYID").ToString()
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

// slotOf returns the slot of a key, and which node had it when the cluster was
// made.
func (n nodes) slotOf(key string) (slot string, owner int) {
	n.t.Helper()
	number := n.number(0, "CLUSTER", "KEYSLOT", key)
	return strconv.FormatInt(number, 10), int(number) * len(n.clients) >> 14
}

// moveSlot gives the slot of a key to the next node, unless there are keys in it.
func moveSlot(t *testing.T, cluster []*testserver.Server, key string) bool {
	t.Helper()
	nodes := newNodes(t, cluster)
	slot, owner := nodes.slotOf(key)
	if nodes.number(owner, "CLUSTER", "COUNTKEYSINSLOT", slot) > 0 {
		return false
	}
	next := (owner + 1) % len(cluster)
	id := nodes.id(next)
	for i := range cluster { // the new one first
		nodes.mustDo((next+i)%len(cluster), "CLUSTER", "SETSLOT", slot, "NODE", id)
	}
	return true
}
