package guard

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Event is the payload of an invocation with its decoded views. A view is made on
// first use and kept, so that the payload is decoded once for all layers. All
// methods are safe for concurrent use. What they return is shared and must not be
// changed.
type Event struct {
	raw []byte

	mu      sync.Mutex       // guards all below
	limits  Limits           // effective; zero until set or first needed
	walked  *request.Request // nil until the event was walked over
	partial bool             // walked is partial, because the event is a large one
	refused error            // of the walk
	views
}

// views are the decoded forms of the payload, within the limits.
type views struct {
	checked  bool  // whether walked may be read
	wrong    error // why not
	tree     view[any]
	http     view[*events.APIGatewayV2HTTPRequest]
	body     view[[]byte]
	bodyTree view[any]
}

type view[T any] struct {
	done  bool
	value T
	err   error
}

func (v *view[T]) get(read func() (T, error)) (T, error) {
	if !v.done {
		v.value, v.err = read()
		v.done = true
	}
	return v.value, v.err
}

// EventOf returns the event that the layers of an invocation share. If a layer
// further out has replaced the payload, it returns an Event for the new one.
// Outside an invocation it returns a new Event at every call.
func EventOf(ctx context.Context, payload []byte) *Event {
	inv := invocation.Of(ctx)
	if inv == nil {
		return &Event{raw: payload}
	}
	first := inv.Event.Get(func() any { return &Event{raw: inv.Payload} }).(*Event)
	if invocation.Same(first.raw, payload) {
		return first
	}
	return inv.Replaced.Get(func() any { return new(replacedEvent) }).(*replacedEvent).of(first, payload)
}

// replacedEvent is the last event that a layer has replaced the first one by. Each
// record of a batch has its own, so that records side by side do not drop it.
type replacedEvent struct {
	mu    sync.Mutex // guards event
	event *Event
}

func (r *replacedEvent) of(first *Event, payload []byte) *Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.event == nil || !invocation.Same(r.event.raw, payload) {
		r.event = &Event{raw: payload, limits: first.lockedLimits()}
	}
	return r.event
}

// Raw returns the payload as it came. The runtime reuses its memory after the
// invocation: copy the bytes to keep them.
func (e *Event) Raw() []byte { return e.raw }

// Trigger returns what invoked the function.
func (e *Event) Trigger() Trigger {
	return e.peek().Trigger()
}

// Tree returns the payload as map[string]any, []any, string, bool, nil and
// [encoding/json.Number], which keeps a number as it was written. The text must
// be strict JSON within the limits. The error is an [*Error].
func (e *Event) Tree() (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tree.get(func() (any, error) { return e.readTree(e.raw) })
}

// Decode reads the payload into v, a pointer to a zero value, as [Func] does.
func (e *Event) Decode(v any, opts ...DecodeOption) error {
	return decode(e.raw, v, e.lockedLimits(), opts)
}

// Request returns the HTTP request in the event of any gateway, the call that an
// authorizer decides on, or the caller of an AppSync resolver. It is never nil. The
// error is an [*Error] of kind Invalid or TooLarge. The request beside an error is
// partial: use it for nothing but the answer.
func (e *Event) Request() (*request.Request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readRequest()
}

// HTTP returns the HTTP request of any gateway as an event of payload format 2.0:
// header names in lower case, several values joined by a comma, cookies apart. VPC
// Lattice provides no route and no source address, and the caller's ARN only with
// IAM auth. The error is an [*Error] of kind Invalid or TooLarge.
func (e *Event) HTTP() (*events.APIGatewayV2HTTPRequest, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.http.get(func() (*events.APIGatewayV2HTTPRequest, error) {
		r, err := e.readRequest()
		if err != nil {
			return nil, err
		}
		if !r.Trigger().IsHTTP() {
			return nil, notHTTP()
		}
		full, err := r.Format2()
		if err != nil {
			return nil, refuse(err)
		}
		return full, nil
	})
}

// peek returns the request as far as it is known, also of a refused event.
func (e *Event) peek() *request.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.walk()
}

// walk reads the event once, even if the limits change. A large event is read in
// part until it is known to be within its limits.
func (e *Event) walk() *request.Request {
	if e.walked != nil {
		return e.walked
	}
	usual := defaultLimits(Unknown)
	if strictjson.Within(e.raw, usual.Depth, usual.Nodes) {
		e.walked, e.refused = request.Read(e.raw)
	} else {
		e.walked, e.partial = request.Partial(e.raw), true
	}
	return e.walked
}

func (e *Event) readTree(text []byte) (any, error) {
	if err := e.currentLimits().check(text); err != nil {
		return nil, err
	}
	tree, err := strictjson.Tree(text)
	if err != nil {
		return nil, refuse(err)
	}
	return tree, nil
}

func (e *Event) readRequest() (*request.Request, error) {
	if !e.checked {
		e.wrong = e.checkRequest()
		e.checked = true
	}
	return e.walked, e.wrong
}

func (e *Event) checkRequest() error {
	e.walk()
	if err := e.currentLimits().check(e.raw); err != nil {
		return err
	}
	if e.partial {
		e.walked, e.refused = request.Read(e.raw)
		e.partial = false
	}
	if e.refused != nil {
		return refuse(e.refused)
	}
	switch t := e.walked.Trigger(); {
	case t == WebSocket, t == Authorizer, t == AppSync:
		return nil
	case !t.IsHTTP() || e.walked.Method() == "":
		return notHTTP()
	}
	if _, err := e.readBody(); KindOf(err) == TooLarge {
		return err
	}
	return nil
}

func notHTTP() *Error {
	return &Error{Kind: Invalid, Code: "not_an_http_event", Detail: "The event is not an HTTP request."}
}

// setLimits also drops views that were read under other limits.
func (e *Event) setLimits(l Limits) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.limits != l {
		e.limits, e.views = l, views{}
	}
}

func (e *Event) lockedLimits() Limits {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.currentLimits()
}

func (e *Event) currentLimits() Limits {
	if e.limits == (Limits{}) {
		e.limits = Limits{}.effective(e.walk().Trigger())
	}
	return e.limits
}
