package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// The events of this file are small to send and large to decode. Lambda takes
// 6 MiB at a time.
const mostBytes = 6 << 20

// filled is open, as often as possible unit, and end, in size bytes.
func filled(size int, open, unit, end string) string {
	return open + strings.Repeat(unit, (size-len(open)-len(end))/len(unit)) + end
}

// members is an object with size bytes, or n members, of names that differ.
func members(size, n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if b.Len()+11 > size {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%06d":0`, i)
	}
	b.WriteByte('}')
	return b.String()
}

// hostileTexts make each kind of text in a size.
var hostileTexts = []struct {
	name string
	make func(size int) string
	code string // of its refusal at 6 MiB; "" is allowed
}{
	{
		name: "objects with a member",
		make: func(size int) string { return filled(size, `[`, `{"":0},`, `0]`) },
		code: "json_too_many_values",
	},
	{
		name: "empty objects",
		make: func(size int) string { return filled(size, `[`, `{},`, `0]`) },
		code: "json_too_many_values",
	},
	{name: "numbers", make: func(size int) string { return filled(size, `[`, `0,`, `0]`) }, code: "json_too_many_values"},
	{name: "open arrays", make: func(size int) string { return filled(size, ``, `[`, ``) }, code: "json_too_deep"},
	{name: "open objects", make: func(size int) string { return filled(size, ``, `{"":`, ``) }, code: "json_too_deep"},
	{
		name: "nested arrays",
		make: func(size int) string { return filled(size/2, ``, `[`, ``) + filled(size/2, ``, `]`, ``) },
		code: "json_too_deep",
	},
	{
		name: "objects before many colons",
		make: func(size int) string { return filled(size/2, `[`, `{"":0},`, ``) + filled(size/2, ``, `:`, ``) },
		code: "json_too_many_values",
	},
	{name: "distinct members", make: func(size int) string { return members(size, size) }, code: "json_too_many_values"},
	// A decoder gets no further than the fault, and nothing may go on behind it.
	{
		name: "distinct members behind a fault",
		make: func(size int) string { return `[tru,` + members(size-8, size) + `]` },
		code: "malformed_json",
	},
	// One value of no depth. Decoded it is a string of 1 MiB: nothing that a
	// plain string could not be, and no limit of a direct event's forbids it.
	{name: "a string of escapes", make: func(size int) string { return filled(size, `"`, `\u0041`, `"`) }},
	{name: "a string of short escapes", make: func(size int) string { return filled(size, `"`, `\n`, `"`) }},
}

// allocated is all that f allocates, freed or not: no less than what lives at
// any moment of it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const mostMemory = 16 << 20

// refuses checks that each way to read an event refuses it by the same limit,
// and what each costs.
func refuses(t *testing.T, payload []byte, code string, ways map[string]lambda.Handler) {
	t.Helper()
	for way, h := range ways {
		var err error
		took := allocated(func() { _, err = h.Invoke(t.Context(), payload) })
		got := ""
		if err != nil {
			got = guard.Public(err).Code
		}
		if got != code {
			t.Errorf("%s: %v, want %q", way, err, code)
		}
		t.Logf("%s: %d KiB allocated", way, took>>10)
		if took >= mostMemory {
			t.Errorf("%s: %d bytes allocated", way, took)
		}
	}
}

func reading(read func(*guard.Event) error) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		return nil, read(guard.EventOf(ctx, payload))
	})
}

// SECURITY: Bounded work.
func TestAHostileEventIsRefusedInLittleMemory(t *testing.T) {
	untyped := func(context.Context, any) (any, error) { return nil, nil }
	ways := map[string]lambda.Handler{
		"Func": guard.Func(untyped),
		"Tree": reading(func(ev *guard.Event) error { _, err := ev.Tree(); return err }),
		"Limit, logged": guard.Wrap(guard.Func(untyped), guard.Log(logging.New(io.Discard)), guard.Recover(),
			guard.Limit(guard.Limits{})),
	}
	for _, kind := range hostileTexts {
		t.Run(kind.name, func(t *testing.T) {
			payload := []byte(kind.make(mostBytes))
			if len(payload) > mostBytes || len(payload) < mostBytes-16 {
				t.Fatalf("%d bytes", len(payload))
			}
			refuses(t, payload, kind.code, ways)
			refuses(t, append(payload, "                "...), "payload_too_large", ways)
		})
	}
}

// httpWays are the ways to the body of an HTTP request.
func httpWays() map[string]lambda.Handler {
	return map[string]lambda.Handler{
		"BodyTree": reading(func(ev *guard.Event) error { _, err := ev.BodyTree(); return err }),
		"Limit, logged": guard.Wrap(reading(func(ev *guard.Event) error { _, err := ev.BodyTree(); return err }),
			guard.Log(logging.New(io.Discard)), guard.Recover(), guard.Limit(guard.Limits{})),
	}
}

// SECURITY: Bounded work.
func TestAHostileBodyIsRefusedInLittleMemory(t *testing.T) {
	for _, kind := range hostileTexts {
		// About as large as a body can be, whose quotes and backslashes are two
		// bytes each in the event: more than 1 MiB of text, whatever it holds.
		t.Run(kind.name+", 3.5 MiB", func(t *testing.T) {
			payload := httpEvent(kind.make(7<<19), false)
			if len(payload) > mostBytes {
				t.Fatalf("%d bytes", len(payload))
			}
			refuses(t, payload, "body_too_large", httpWays())
		})
		// As much as a body may have: depth and number decide.
		for _, encoded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, 1 MiB, base64 %t", kind.name, encoded), func(t *testing.T) {
				ways, code := httpWays(), kind.code
				if kind.name == "distinct members" { // 95 000 are within all limits, and may cost what they cost
					delete(ways, "BodyTree")
					ways["Limit, logged"], code = limited(guard.Limits{}), ""
				}
				refuses(t, httpEvent(kind.make(1<<20), encoded), code, ways)
			})
		}
	}
}

// Of a base64 body it does not matter what it decodes to, as it is not decoded.
func TestABase64BodyOf6MiBIsRefusedInLittleMemory(t *testing.T) {
	// 8 MiB, which Lambda does not take, and Limit does not.
	payload := httpEvent(hostileTexts[0].make(mostBytes), true)
	refuses(t, payload, "payload_too_large", map[string]lambda.Handler{"Limit": limited(guard.Limits{})})
	// Where events may be larger, the body is still too large to be decoded.
	refuses(t, payload, "body_too_large", map[string]lambda.Handler{
		"Limit of the body": limited(guard.Limits{Payload: guard.Unlimited}),
		"BodyTree":          guard.Wrap(httpWays()["BodyTree"], guard.Limit(guard.Limits{Payload: guard.Unlimited})),
	})
}

func limited(l guard.Limits) lambda.Handler { return guard.Wrap(answers("", nil), guard.Limit(l)) }

func TestAHundredThousandMembersAreTooMany(t *testing.T) {
	text := members(mostBytes, 100_000)
	ways := map[string]lambda.Handler{
		"Func": guard.Func(func(context.Context, map[string]int) (any, error) { return nil, nil }),
		"Tree": reading(func(ev *guard.Event) error { _, err := ev.Tree(); return err }),
	}
	refuses(t, []byte(text), "json_too_many_values", ways)
	refuses(t, []byte(`{"version":"2.0","requestContext":{"http":{"method":"POST"}},"body":`+text+`}`), "json_too_many_values", httpWays())
	// A body of them is larger than 1 MiB; with room for it, they are too many.
	refuses(t, httpEvent(text, false), "body_too_large", httpWays())
	refuses(t, httpEvent(text, true), "json_too_many_values", map[string]lambda.Handler{
		"Limit": limited(guard.Limits{Body: 2 << 20}),
	})
}

// What encoding/json makes of the first two, were they let in, at a sixth of
// their size.
func TestTheSameEventsDecodedAreFiftyTimesTheirSize(t *testing.T) {
	for _, kind := range hostileTexts[:2] {
		payload := []byte(kind.make(1 << 20))
		took := allocated(func() {
			var v any
			if err := json.Unmarshal(payload, &v); err != nil {
				t.Error(err)
			}
		})
		t.Logf("%s: %d MiB allocated for 1 MiB", kind.name, took>>20)
		if took < 30<<20 {
			t.Errorf("%s: only %d bytes allocated; the limits guard against nothing", kind.name, took)
		}
	}
}
