// Package invocation holds the state that the layers of one invocation share: its
// deadline, its principal, and the content of its record.
//
// It knows no layer and no event, so that the chain, the log handler and the
// layers can all import it.
package invocation

import (
	"context"
	"os"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/random"
)

// Invocation is the context of an invocation. The embedded one is from the runtime.
type Invocation struct {
	context.Context
	Payload  []byte
	Lambda   *lambdacontext.LambdaContext // never nil
	Cold     bool                         // the first of its process, which waited for the process to start
	Warnings []string                     // about the order of the chain
	Chance   float64                      // 0 to 1, for sampling: one draw for all that ask
	Event    *Slot                        // of package guard, for the whole
	Replaced Slot                         // of package guard, for this part
	Log      *Slot                        // of package logging

	whole  *Invocation // nil unless this is a part of an invocation
	record string      // the id of the record that a part handles

	mu    sync.Mutex // guards facts
	facts Facts
}

// Slot keeps one value of a package with the invocation.
type Slot struct {
	mu    sync.Mutex // guards value
	value any
}

// Get returns the value, made by create on first use.
func (s *Slot) Get(create func() any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value == nil {
		s.value = create()
	}
	return s.value
}

type key struct{}

// Value returns the invocation itself for its key.
func (inv *Invocation) Value(k any) any {
	if k == (key{}) {
		return inv
	}
	return inv.Context.Value(k)
}

// Of returns the invocation that ctx belongs to, nil outside one.
func Of(ctx context.Context) *Invocation {
	inv, _ := ctx.Value(key{}).(*Invocation)
	return inv
}

// Begin returns the context of a new invocation. first reports whether it is the
// first of its process.
func Begin(ctx context.Context, payload []byte, first bool, warnings []string) *Invocation {
	slots := new([2]Slot)
	inv := &Invocation{
		Context: ctx, Payload: payload, Cold: first && !provisioned(), Warnings: warnings, Chance: random.Float64(),
		Event: &slots[0], Log: &slots[1],
	}
	if inv.Lambda, _ = lambdacontext.FromContext(ctx); inv.Lambda == nil {
		inv.Lambda = &lambdacontext.LambdaContext{}
	}
	return inv
}

// BeginRecord returns the context of one record of the invocation that ctx belongs
// to, which must be one. It has facts of its own, so that records that are handled
// at the same time do not mix theirs, and the same holds for the event that a layer
// makes of it. The event, the deadline and the log are those of the invocation. An id
// that no event source makes is left out: who forges an event may choose it.
func BeginRecord(ctx context.Context, id string) *Invocation {
	if !fit(id, longestRecordID) {
		id = ""
	}
	outer := Of(ctx)
	facts := outer.Facts()
	return &Invocation{
		Context: ctx, Payload: outer.Payload, Lambda: outer.Lambda, Cold: outer.Cold, Chance: outer.Chance,
		Event: outer.Event, Log: outer.Log,
		whole: outer.Whole(), record: id,
		facts: Facts{
			Correlation: facts.Correlation, Principal: facts.Principal,
			TraceID: facts.TraceID, SpanID: facts.SpanID, Sampled: facts.Sampled,
		},
	}
}

// longestRecordID has room for the longest name of a Kafka topic, with partition and
// offset.
const longestRecordID = 512

// Whole returns the invocation that a part belongs to, or inv itself.
func (inv *Invocation) Whole() *Invocation {
	if inv.whole != nil {
		return inv.whole
	}
	return inv
}

// provisioned reports whether the process was started ahead of its first event.
func provisioned() bool {
	switch os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") {
	case "provisioned-concurrency", "lambda-managed-instances":
		return true
	default:
		return false
	}
}

// Lifetime returns the context of the whole invocation that ctx belongs to, for
// work that must not end with the layer that began it. Outside an invocation, and
// where ctx was detached from one that is over, it returns a context that never
// ends.
func Lifetime(ctx context.Context) context.Context {
	inv := Of(ctx)
	if inv == nil || inv.Whole().Context.Err() != nil && ctx.Err() == nil {
		return context.Background()
	}
	return inv.Whole().Context
}
