package valkey_test

import (
	"os"
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	valkeygo "github.com/valkey-io/valkey-go"
)

// The server or the cluster at LAMBDARMOR_VALKEY_ADDR, host:port, is held to the
// same as the one that the tests start. It may be any version from Valkey 7 or
// Redis 7 on, and keeps a few records of the tests for some hours.
func TestOutsideServerIsAStore(t *testing.T) {
	addr := os.Getenv("LAMBDARMOR_VALKEY_ADDR")
	if addr == "" {
		t.Skip("LAMBDARMOR_VALKEY_ADDR is not set")
	}
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if info, err := client.Do(t.Context(), client.B().Info().Section("server").Build()).ToString(); err != nil {
		t.Fatal(err)
	} else {
		t.Logf("%.200s", info)
	}
	storetest.Run(t, func(*testing.T) idempotency.Store { return valkey.New(client) })
}
