package valkey_test

import (
	"crypto/rand"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/proptest/historytest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/internal/valkeyproxy"
	valkeygo "github.com/valkey-io/valkey-go"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

func TestHistories(t *testing.T) { historytest.Check(t, system(t, servers.Valkey(t).Addr())) }

// The server at LAMBDARMOR_VALKEY_ADDR, host:port, which may be any version from
// Valkey 7 or Redis 7 on, and is not a cluster.
func TestHistoriesOfAnOutsideServer(t *testing.T) {
	addr := os.Getenv("LAMBDARMOR_VALKEY_ADDR")
	if addr == "" {
		t.Skip("LAMBDARMOR_VALKEY_ADDR is not set")
	}
	if mode := connect(t, addr).Mode(); mode != valkeygo.ClientModeStandalone {
		t.Skip("the proxy stands before one server")
	}
	historytest.Check(t, system(t, addr))
}

// system has five processes on one server, with clocks that are up to 20 minutes
// apart, which must make no difference.
func system(t *testing.T, addr string) historytest.System {
	t.Helper()
	direct := valkey.New(connect(t, addr)) // from which the server learns the scripts
	r := idempotency.Record{Key: rand.Text(), Owner: "o", Epoch: 1, Lease: time.Now(), Expires: time.Now().Add(time.Minute)}
	if _, err := direct.Claim(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(direct.Complete(t.Context(), r), direct.Release(t.Context(), r)); !errors.Is(err, idempotency.ErrLost) {
		t.Fatal(err)
	}
	sys := historytest.System{ServerClock: true}
	for _, skew := range []time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute, 5 * time.Millisecond} {
		proxy := valkeyproxy.New(t, addr)
		store := valkey.New(connect(t, proxy.Addr()), valkey.Clock(func() time.Time { return time.Now().Add(skew) }))
		sys.Processes = append(sys.Processes, historytest.Process{Store: store, Network: proxy, Skew: skew})
	}
	return sys
}

func connect(t *testing.T, addr string) valkeygo.Client {
	t.Helper()
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
