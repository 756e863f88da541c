package valkey_test

import (
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency/internal/historytest"
)

func TestHistories(t *testing.T) { historytest.Check(t, system(t, servers.Valkey(t).Addr())) }

// system has five processes on one server, with clocks that are up to 20
// minutes apart, which is to make no difference.
func system(t *testing.T, addr string) historytest.System {
	t.Helper()
	sys := historytest.System{ServerClock: true}
	for _, skew := range []time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute, 5 * time.Millisecond} {
		p, store, _ := before(t, addr)
		store.SetClock(func() time.Time { return time.Now().Add(skew) })
		store.SetPause(time.Millisecond)
		sys.Processes = append(sys.Processes, historytest.Process{Store: store, Network: p, Skew: skew})
	}
	return sys
}
