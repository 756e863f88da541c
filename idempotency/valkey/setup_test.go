package valkey_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	valkeygo "github.com/valkey-io/valkey-go"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect returns the real client of a server.
func connect(t testing.TB, addr string) valkeygo.Client {
	t.Helper()
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestStoreIsAStore(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	storetest.Run(t, func(*testing.T) idempotency.Store { return valkey.New(client) })
}

// Each step is another process's, as far as the server can tell.
func TestStoreOverManyClientsIsAStore(t *testing.T) {
	addr := servers.Valkey(t).Addr()
	clients := new(inTurn)
	for range 4 {
		clients.stores = append(clients.stores, valkey.New(connect(t, addr)))
	}
	storetest.Run(t, func(*testing.T) idempotency.Store { return clients })
}

// inTurn takes each step through the next of its stores.
type inTurn struct {
	stores []*valkey.Store
	taken  atomic.Uint64
}

func (i *inTurn) next() *valkey.Store { return i.stores[i.taken.Add(1)%uint64(len(i.stores))] }

func (i *inTurn) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	return i.next().Claim(ctx, r)
}

func (i *inTurn) Complete(ctx context.Context, r idempotency.Record) error {
	return i.next().Complete(ctx, r)
}

func (i *inTurn) Release(ctx context.Context, r idempotency.Record) error {
	return i.next().Release(ctx, r)
}

// attempt makes a record in progress, by the clock of a process, that holds a
// key of its own for a minute.
func attempt(now time.Time) idempotency.Record {
	return idempotency.Record{
		Key: rand.Text(), Owner: rand.Text(), Epoch: 1, Status: idempotency.InProgress, Fingerprint: "fingerprint",
		Lease: now.Add(time.Minute), Expires: now.Add(time.Hour),
	}
}

// another makes an attempt of another process for the same key.
func another(r idempotency.Record, epoch int64) idempotency.Record {
	r.Owner, r.Epoch = rand.Text(), epoch
	return r
}

func done(r idempotency.Record, result string) idempotency.Record {
	r.Status, r.Result = idempotency.Completed, []byte(result)
	return r
}

func mustClaim(t *testing.T, s idempotency.Store, r idempotency.Record) {
	t.Helper()
	if held, err := s.Claim(t.Context(), r); err != nil {
		t.Fatalf("claim: %v, held by %+v", err, held)
	}
}

func mustBeHeld(t *testing.T, s idempotency.Store, r, by idempotency.Record, status idempotency.Status) {
	t.Helper()
	held, err := s.Claim(t.Context(), r)
	if !errors.Is(err, idempotency.ErrHeld) || held.Owner != by.Owner || held.Status != status || string(held.Result) != string(by.Result) {
		t.Fatalf("claim: %v, held by %+v; want ErrHeld, by %s, %s", err, held, by.Owner, status)
	}
}
