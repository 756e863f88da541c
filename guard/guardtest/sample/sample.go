package sample

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// An Event is the payload of an invocation. It does not change: each method returns
// another Event, which has its members in the order of their names.
//
// Places in it are JSON pointers (RFC 6901). Methods panic where there is no such
// place: a test with a wrong pointer would test something else.
type Event struct {
	name string // of the sample
	text string // compact JSON
}

//go:embed samples
var sampleFiles embed.FS

// Of returns an event as the trigger sends it. The samples are about the orders of
// a small shop, in account [guardtest.AccountID], region us-east-1.
//
// Where a trigger sends several, the second argument chooses:
//
//   - [guard.HTTPAPI] in payload format 2.0, or "format-1.0"; for these,
//     [guard.FunctionURL], [guard.REST] and [guard.VPCLattice] see [HTTP] too
//   - [guard.REST] or "mixed-case", with the names of headers as a client over
//     HTTP/2, or any other, has sent them
//   - [guard.WebSocket] a message, "connect", "disconnect"
//   - [guard.ALB] or with "multi-value" headers
//   - [guard.Authorizer] of an HTTP API in format 2.0, or "http-1.0"; a REST
//     API's "token", "request"; "websocket", "appsync". "token-console" and
//     "token-any-stage" are the console's test events, and "request-documented"
//     is the event in AWS's documentation
//   - [guard.SQS] or "fifo"
//   - [guard.S3] an object created, or "removed"
//   - [guard.EventBridge] an event of one's own, or "scheduled"
//   - [guard.DynamoDB] an item inserted, "modify", "remove" (by its time to live)
//   - [guard.Firehose] direct put, or "kinesis"
//   - [guard.Kafka] of MSK, or "self-managed"
//   - [guard.MQ] ActiveMQ, or "rabbitmq"
//   - [guard.Cognito] a user pool's sign-up, "post-confirmation",
//     "pre-authentication", "post-authentication", "pre-token-generation",
//     "pre-token-generation-2", "custom-message", "user-migration",
//     "define-auth-challenge", "create-auth-challenge", "verify-auth-challenge",
//     or an identity pool's "sync"
//
// It panics when there is no such sample.
func Of(trigger guard.Trigger, variant ...string) Event {
	return load(strings.Join(append([]string{string(trigger)}, variant...), "/"))
}

// All returns all samples in the order of their names. A name is the trigger's, with
// the variant after a slash: "sqs" and "sqs/fifo".
func All() iter.Seq2[string, Event] {
	return func(yield func(string, Event) bool) {
		for _, name := range sampleNames() {
			if !yield(name, load(name)) {
				return
			}
		}
	}
}

func load(name string) Event {
	text, err := sampleFiles.ReadFile("samples/" + strings.Replace(name, "/", ".", 1) + ".json")
	if err != nil {
		panic(fmt.Sprintf("sample: no sample %q; there are %q", name, sampleNames()))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		panic(fmt.Sprintf("sample: sample %q: %v", name, err))
	}
	return Event{name, compact.String()}
}

func sampleNames() []string {
	files, _ := sampleFiles.ReadDir("samples") // it is embedded
	names := make([]string, 0, len(files))
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), path.Ext(file.Name()))
		names = append(names, strings.Replace(name, ".", "/", 1))
	}
	slices.Sort(names)
	return names
}

// Set puts value, as encoding/json writes it, at the pointer's place. A member
// that the object lacks is added, and "-" adds to the end of an array; all
// before it must exist.
func (e Event) Set(pointer string, value any) Event {
	text, err := marshal(value)
	e.check("Set", pointer, err)
	value, _ = parse(text)
	return e.edit("Set", pointer, func(holder any, token string) (any, error) { return put(holder, token, value) })
}

// Delete takes out the member or the element at the pointer's place.
func (e Event) Delete(pointer string) Event { return e.edit("Delete", pointer, remove) }

func (e Event) edit(method, pointer string, change func(holder any, token string) (any, error)) Event {
	tokens, err := split(pointer)
	root := e.root()
	if err == nil {
		root, err = edit(root, tokens, change)
	}
	e.check(method, pointer, err)
	return e.with(root)
}

// Get returns what stands at the pointer's place, decoded as [guard.Event.Tree]
// does: a number is a [json.Number].
func (e Event) Get(pointer string) any {
	v, err := find(e.root(), pointer)
	e.check("Get", pointer, err)
	return v
}

// Bytes returns the event for an invocation: compact JSON, the caller's own.
func (e Event) Bytes() []byte { return []byte(e.text) }

// String returns the event as JSON.
func (e Event) String() string { return e.text }

// root is a tree of the caller's own.
func (e Event) root() any {
	root, err := parse([]byte(e.text))
	if err != nil {
		panic("sample: the zero Event is not an event; see Of")
	}
	return root
}

func (e Event) with(root any) Event {
	text, _ := marshal(root) // it came from JSON
	e.text = string(text)
	return e
}

func (e Event) check(method, pointer string, err error) {
	if err != nil {
		panic(fmt.Sprintf("sample: %s %q in event %q: %v", method, pointer, e.name, err))
	}
}
