package guardtest

import (
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// An extension is a program beside the runtime, which a Function launches, or a
// part of the runtime's process. The environment's lock guards it.
type extension struct {
	name      string // of a launched one its file's
	launched  bool
	id        string // empty until it registers
	events    []string
	state     string
	errorType string
	ready     bool     // it has asked for its first event
	waiting   bool     // a request of it for an event is open
	done      bool     // it has asked for an event after the last one
	queue     chan any // events that it has not taken
}

// The states are those of Lambda's log line for an extension.
const (
	stateStarted     = "Started"
	stateRegistered  = "Registered"
	stateReady       = "Ready"
	stateInitError   = "InitError"
	stateExitError   = "ExitError"
	stateLaunchError = "LaunchError"
)

const (
	eventInvoke   = "INVOKE"
	eventShutdown = "SHUTDOWN"

	maxExtensions = 10

	// An extension that never asks misses events beyond these.
	extensionBacklog = 64
)

func newExtension(name string, launched bool) *extension {
	return &extension{name: name, launched: launched, state: stateStarted, queue: make(chan any, extensionBacklog)}
}

func (x *extension) isRegistered() bool { return x.id != "" }

func (x *extension) isReady() bool { return x.ready }

func (x *extension) hears(event string) bool { return slices.Contains(x.events, event) }

func (x *extension) send(event any) {
	select {
	case x.queue <- event:
		x.done = false
	default:
	}
}

// logLine is Lambda's line about an extension at the end of INIT.
func (x *extension) logLine() string {
	line := "EXTENSION\tName: " + x.name + "\tState: " + x.state + "\tEvents: [" + strings.Join(x.events, ",") + "]"
	if x.errorType != "" {
		line += "\tError Type: " + x.errorType
	}
	return line
}

// The methods of environment below are called with from.mu held.

func (e *environment) extensionByID(id string) *extension {
	for _, x := range e.extensions {
		if x.id == id {
			return x
		}
	}
	return nil
}

func (e *environment) eachLaunched(holds func(*extension) bool) bool {
	return !slices.ContainsFunc(e.extensions, func(x *extension) bool { return x.launched && !holds(x) })
}

// extensionsDone reports whether each extension that hears of invocations has asked
// for the next. One inside the runtime counts once it has asked for an event.
func (e *environment) extensionsDone() bool {
	return !slices.ContainsFunc(e.extensions, func(x *extension) bool {
		return x.ready && !x.done && x.hears(eventInvoke)
	})
}

func (e *environment) announce(inv *invocation) {
	for _, x := range e.extensions {
		if x.hears(eventInvoke) {
			x.send(map[string]any{
				"eventType":          eventInvoke,
				"deadlineMs":         inv.deadline.UnixMilli(),
				"requestId":          inv.call.RequestID,
				"invokedFunctionArn": e.cfg.ARN,
				"tracing":            map[string]string{"type": "X-Amzn-Trace-Id", "value": inv.call.TraceID},
			})
		}
	}
}

// announceShutdown tells the extensions for which it holds, and that want to know.
func (e *environment) announceShutdown(reason string, deadline time.Time, holds func(*extension) bool) {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	for _, x := range e.extensions {
		if x.hears(eventShutdown) && holds(x) {
			x.send(map[string]any{
				"eventType":      eventShutdown,
				"shutdownReason": reason,
				"deadlineMs":     deadline.UnixMilli(),
			})
		}
	}
}

func (e *environment) hasExtension(holds func(*extension) bool) bool {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	return slices.ContainsFunc(e.extensions, holds)
}

// add registers an extension. The error is Lambda's type and words.
func (e *environment) add(name string, events []string) (id string, refused *refusal) {
	e.from.mu.Lock()
	defer e.from.mu.Unlock()
	i := slices.IndexFunc(e.extensions, func(x *extension) bool { return x.name == name })
	switch {
	case e.wasPolled():
		return "", &refusal{"Extension.RegistrationClosed", "Extension registration closed already"}
	case i >= 0 && e.extensions[i].isRegistered():
		return "", &refusal{"Extension.AlreadyRegistered", "Extension with this name already registered"}
	case i < 0 && len(e.extensions) >= maxExtensions:
		return "", &refusal{"Extension.TooManyExtensions", "Extension limit (10) reached"}
	case i < 0:
		i = len(e.extensions)
		e.extensions = append(e.extensions, newExtension(name, false))
	}
	x := e.extensions[i]
	x.id, x.events, x.state = ids.UUID(), events, stateRegistered
	e.advance()
	return x.id, nil
}

type refusal struct{ errorType, message string }
