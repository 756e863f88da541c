package valkey_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	valkeygo "github.com/valkey-io/valkey-go"
)

// What Do takes beside the bare round trips that it cannot do without: two SETs
// for a new key, one GET for a replay; or, as the server takes longer for scripts,
// the scripts that Do sends. They go in turn, so that a busy machine is busy for
// both.
func BenchmarkDo(b *testing.B) {
	client := connect(b, servers.Valkey(b).Addr())
	op := idempotency.NewOperation("charge", valkey.New(client))
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	set := func(key string) {
		if err := client.Do(ctx, client.B().Set().Key(key).Value(`"a receipt"`).Px(time.Hour).Build()).Error(); err != nil {
			b.Fatal(err)
		}
	}
	get := func(key string) {
		if err := client.Do(ctx, client.B().Get().Key(key).Build()).Error(); err != nil {
			b.Fatal(err)
		}
	}
	script := func(lua *valkeygo.Lua, key string, args ...string) {
		if err := lua.Exec(ctx, client, []string{key}, args).Error(); err != nil {
			b.Fatal(err)
		}
	}
	claim, complete := valkeygo.NewLuaScript(valkey.ClaimScript), valkeygo.NewLuaScript(valkey.CompleteScript)
	ends := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
	sendClaim := func(key string) {
		script(claim, key, "ABCDEFGHIJKLMNOPQRSTUV", "1", "0", "3600000", "3600000", ends, ends, "")
	}
	sendBoth := func(key string) {
		sendClaim(key)
		script(complete, key, "ABCDEFGHIJKLMNOPQRSTUV", "1", "3600000", ends, `"a receipt"`)
	}
	runs := 0
	do := func(key string) {
		if _, err := idempotency.Do(ctx, op, key, nil, func(context.Context) (string, error) { runs++; return "a receipt", nil }); err != nil {
			b.Fatal(err)
		}
	}
	for _, bench := range []struct {
		name    string
		fresh   bool
		prepare func(key string)
		bare    func(key string)
	}{
		{name: "new/SET SET", fresh: true, prepare: set, bare: func(key string) { set(key); set(key) }},
		{name: "new/scripts", fresh: true, prepare: set, bare: sendBoth},
		{name: "replay/GET", prepare: set, bare: get},
		{name: "replay/script", prepare: sendBoth, bare: sendClaim},
	} {
		b.Run(bench.name, func(b *testing.B) {
			unique := rand.Text()
			bareKey, key := "bare:"+unique, unique
			bench.prepare(bareKey)
			do(key)
			runs = 0
			var calls int
			var bare, full time.Duration
			for b.Loop() {
				calls++
				if bench.fresh {
					key = fmt.Sprint(unique, calls)
					bareKey = "bare:" + key
				}
				start := time.Now()
				bench.bare(bareKey)
				half := time.Now()
				do(key)
				bare, full = bare+half.Sub(start), full+time.Since(half)
			}
			if want := map[bool]int{true: calls}[bench.fresh]; runs != want {
				b.Fatalf("%d runs in %d calls, want %d", runs, calls, want)
			}
			b.ReportMetric(float64(bare.Nanoseconds())/float64(calls), "bare-ns/op")
			b.ReportMetric(float64(full.Nanoseconds())/float64(calls), "do-ns/op")
			b.ReportMetric(float64(full)/float64(bare), "do/bare")
		})
	}
}
