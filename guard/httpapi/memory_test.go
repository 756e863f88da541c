package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// Lambda takes 6 MiB at a time, of a function that has 128 MB at the least.
const (
	mostBytes    = 6 << 20
	leastMemory  = 128_000_000
	atOnce       = 8
	ofTheProcess = 16 << 20 // what the program and the runtime take of it
)

// filled is open, as often as possible unit, and end, in size bytes.
func filled(size int, open, unit, end string) string {
	return open + strings.Repeat(unit, (size-len(open)-len(end))/len(unit)) + end
}

// distinctMembers is an object of about size bytes, of names that differ.
func distinctMembers(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size-12; i++ {
		fmt.Fprintf(&b, `,"%06d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// hostileTexts are small to send and large to decode.
var hostileTexts = []struct {
	name string
	make func(size int) string
}{
	{name: "objects with a member", make: func(size int) string { return filled(size, `[`, `{"":0},`, `0]`) }},
	{name: "empty objects", make: func(size int) string { return filled(size, `[`, `{},`, `0]`) }},
	{name: "numbers", make: func(size int) string { return filled(size, `[`, `0,`, `0]`) }},
	{name: "open arrays", make: func(size int) string { return filled(size, ``, `[`, ``) }},
	{name: "open objects", make: func(size int) string { return filled(size, ``, `{"":`, ``) }},
	{name: "nested arrays", make: func(size int) string { return filled(size/2, ``, `[`, ``) + filled(size/2, ``, `]`, ``) }},
	{
		name: "objects before many colons",
		make: func(size int) string { return filled(size/2, `[`, `{"":0},`, ``) + filled(size/2, ``, `:`, ``) },
	},
	{name: "distinct members", make: distinctMembers},
	{name: "a string of escapes", make: func(size int) string { return filled(size, `"`, `\u0041`, `"`) }},
	{name: "a string of short escapes", make: func(size int) string { return filled(size, `"`, `\n`, `"`) }},
}

// allocated is all that f allocates, freed or not: no less than what lives at
// any moment of it, whenever the collector runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// typed is a function as most are: the default layers around a typed handler.
func typed(opts ...httpapi.Option) lambda.Handler {
	h := httpapi.Func(func(context.Context, benchOrder) (benchAnswer, error) { return benchAnswer{}, nil }, opts...)
	return guard.Wrap(h, httpapi.Default(logging.New(io.Discard)))
}

// One process may run many invocations at once: eight of the dearest event, one
// by one as at once.
//
// SECURITY: Bounded work.
func TestEightHostileEventsAtOnceFitIntoTheSmallestFunction(t *testing.T) {
	h := typed()
	send := func(payload []byte) { _, _ = h.Invoke(inLambda(t.Context()), payload) }
	send(jsonCall(`{}`).event()) // what is made once
	var dearest []byte
	most := uint64(0)
	// What is larger than a body may be is refused by its size alone.
	for _, kind := range hostileTexts {
		body := func(size int, encoded bool) []byte {
			c := jsonCall(kind.make(size))
			c.base64 = encoded
			return c.event()
		}
		const head, tail = `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"more":`, `}`
		for form, payload := range map[string][]byte{
			"beside the body": []byte(head + kind.make(mostBytes-len(head)-len(tail)) + tail),
			"a body of 1 MiB": body(1<<20-64, false), // which is within the limits, where there are not too many values in it
			"base64 of 1 MiB": body(1<<20-64, true),
		} {
			if len(payload) > mostBytes {
				t.Fatalf("%s, %s: %d bytes, which Lambda would not take", kind.name, form, len(payload))
			}
			took := allocated(func() { send(payload) })
			t.Logf("%s, %s: %d KiB allocated", kind.name, form, took>>10)
			if atOnce*(took+uint64(len(payload))) > leastMemory-ofTheProcess {
				t.Errorf("%s, %s: got %d bytes in %d, too many for %d at once", kind.name, form, took, len(payload), atOnce)
			}
			if took > most {
				dearest, most = payload, took
			}
		}
	}
	took := allocated(func() {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() { send(dearest) })
		}
		all.Wait()
	})
	if want := leastMemory - ofTheProcess - atOnce*uint64(len(dearest)); took > want {
		t.Errorf("%d of the dearest at once: got %d bytes, want at most %d", atOnce, took, want)
	}
}
