// Package extensions serves Lambda's Extensions API in one execution environment, and
// knows of each extension what it hears of and whether it is done. See
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
package extensions

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// Max is how many extensions an environment may have.
const Max = 10

// The events that an extension can register for.
const (
	invoke   = "INVOKE"
	shutdown = "SHUTDOWN"
)

// Lambda's types for an environment that ends with an extension.
const (
	TypeLaunch = "Extension.LaunchError"
	TypeInit   = "Extension.InitError"
	TypeExit   = "Extension.ExitError"
	TypeCrash  = "Extension.Crash"
)

// A Host has the extensions of an environment: those that it launches, and those
// inside the runtime's process. The zero value launches none, and cannot tell what others
// launch from what is inside the runtime.
type Host struct {
	Function Function
	Managed  bool   // there is no INVOKE event
	Changed  func() // an extension has registered, or has asked for an event
	Failed   func() // an extension has reported an error

	mu       sync.Mutex
	all      []*extension
	launches bool // what it did not launch is inside the runtime
	closed   bool
	fault    string
}

// A Function is what a registration is answered with.
type Function struct{ Name, Version, Handler, AccountID, ARN string }

type extension struct {
	State
	id      string // empty until it registers
	ready   bool   // it has asked for its first event
	waiting bool   // a request of it for an event is open
	done    bool   // it has asked for an event after the last one
	queue   chan any
}

// An extension that never asks misses events beyond these.
const backlog = 64

// A State is what Lambda tells of an extension, as JSON in a record of the type
// platform.extension.
type State struct {
	Name      string   `json:"name"`
	State     string   `json:"state"` // Started, Registered, Ready or an error
	Events    []string `json:"events"`
	ErrorType string   `json:"errorType,omitempty"`
	Launched  bool     `json:"-"` // beside the runtime, not inside
}

// LogLine is Lambda's line about an extension at the end of INIT.
func (s State) LogLine() string {
	line := "EXTENSION\tName: " + s.Name + "\tState: " + s.State + "\tEvents: [" + strings.Join(s.Events, ",") + "]"
	if s.ErrorType != "" {
		line += "\tError Type: " + s.ErrorType
	}
	return line
}

func newExtension(name string, launched bool) *extension {
	return &extension{
		State: State{Name: name, State: "Started", Events: []string{}, Launched: launched},
		queue: make(chan any, backlog),
	}
}

func (x *extension) hears(event string) bool { return slices.Contains(x.Events, event) }

func (x *extension) send(event any) {
	select {
	case x.queue <- event:
		x.done = false
	default:
	}
}

// Launch announces programs, by the names of their files. INIT waits for them.
func (h *Host) Launch(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.launches = true
	for _, name := range names {
		h.all = append(h.all, newExtension(name, true))
	}
}

// LaunchFailed says that a program could not be started.
func (h *Host) LaunchFailed(name, errorType string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := h.index(name); i >= 0 {
		h.all[i].State.State, h.all[i].ErrorType = "LaunchError", errorType
	}
}

func (h *Host) index(name string) int {
	return slices.IndexFunc(h.all, func(x *extension) bool { return x.Name == name })
}

func (h *Host) any(holds func(*extension) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.all, holds)
}

// Registered reports whether each launched extension has registered.
func (h *Host) Registered() bool {
	return !h.any(func(x *extension) bool { return x.Launched && x.id == "" })
}

// Ready reports whether each launched extension has asked for its first event.
func (h *Host) Ready() bool {
	return !h.any(func(x *extension) bool { return x.Launched && !x.ready })
}

// Done reports whether each extension that hears of invocations has asked for the
// next. One inside the runtime counts once it has asked for an event.
func (h *Host) Done() bool {
	return !h.any(func(x *extension) bool { return x.ready && !x.done && x.hears(invoke) })
}

// Idle reports whether each extension waits for an event.
func (h *Host) Idle() bool { return !h.any(func(x *extension) bool { return !x.waiting || !x.done }) }

// HearInvocations reports whether an extension is told of invocations.
func (h *Host) HearInvocations() bool {
	return h.any(func(x *extension) bool { return x.hears(invoke) })
}

// Inside reports whether there is an extension in the runtime's process.
func (h *Host) Inside() bool { return h.any(func(x *extension) bool { return !x.Launched }) }

// Invoke tells of an invocation.
func (h *Host) Invoke(requestID, traceID string, deadline time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.all {
		if x.hears(invoke) {
			x.send(map[string]any{
				"eventType":          invoke,
				"deadlineMs":         deadline.UnixMilli(),
				"requestId":          requestID,
				"invokedFunctionArn": h.Function.ARN,
				"tracing":            map[string]string{"type": "X-Amzn-Trace-Id", "value": traceID},
			})
		}
	}
}

// Shutdown tells of the end. It returns the names of the extensions that wanted to know.
func (h *Host) Shutdown(reason string, deadline time.Time) (told []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.all {
		if x.hears(shutdown) {
			told = append(told, x.Name)
			x.send(map[string]any{
				"eventType":      shutdown,
				"shutdownReason": reason,
				"deadlineMs":     deadline.UnixMilli(),
			})
		}
	}
	return told
}

// Close ends the time in which extensions can register.
func (h *Host) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// Fault returns Lambda's type for the first error that an extension has reported, or
// nothing.
func (h *Host) Fault() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault
}

// States returns what there is to tell of each extension.
func (h *Host) States() (all []State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.all {
		all = append(all, x.State)
	}
	return all
}

// register returns the identifier, or Lambda's type and words for why there is none.
func (h *Host) register(name string, events []string) (id, errorType, message string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.index(name)
	switch {
	case h.closed:
		return "", "Extension.RegistrationClosed", "Extension registration closed already"
	case i >= 0 && h.all[i].id != "":
		return "", "Extension.InvalidExtensionState", "Extension with this name already registered"
	case i < 0 && h.launches && slices.Contains(events, shutdown):
		return "", "Extension.InvalidEventType", shutdown + ": ShutdownEventNotSupportedForInternalExtension"
	case i < 0 && len(h.all) >= Max:
		return "", "Extension.TooManyExtensions", "Extension limit (10) reached"
	case i < 0:
		i = len(h.all)
		h.all = append(h.all, newExtension(name, false))
	}
	x := h.all[i]
	x.id, x.Events, x.State.State = ids.UUID(), append([]string{}, events...), "Registered"
	return x.id, "", ""
}
