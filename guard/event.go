package guard

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Event is the payload of an invocation and what has been read from it. Views
// are made on first use and kept: however many layers ask, the payload is
// decoded once. All methods are safe for concurrent use; what they return is
// shared and must not be changed.
type Event struct {
	raw []byte

	mu       sync.Mutex       // guards all below
	limits   Limits           // effective; zero until set or first needed
	walked   *request.Request // nil until the event was walked over
	lax      bool             // walked is partial, as the event is a large one
	refused  error            // why walked is partial
	request  view[*request.Request]
	tree     view[any]
	http     view[*events.APIGatewayV2HTTPRequest]
	body     view[[]byte]
	jsonBody view[[]byte]
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

// reconsider drops a refusal.
func (v *view[T]) reconsider() {
	if v.err != nil {
		*v = view[T]{}
	}
}

// EventOf returns the event that the layers of an invocation share. If a layer
// further out has replaced the payload, it is an Event for the new one. Outside
// an invocation it is a fresh one at every call.
func EventOf(ctx context.Context, payload []byte) *Event {
	inv := invocation.Of(ctx)
	if inv == nil {
		return &Event{raw: payload}
	}
	shared := inv.Event.Get(func() any { return &sharedEvent{first: Event{raw: inv.Payload}} }).(*sharedEvent)
	return shared.of(payload)
}

// sharedEvent is the event of an invocation, and the last one that a layer put
// in its place.
type sharedEvent struct {
	first Event

	mu       sync.Mutex // guards replaced
	replaced *Event
}

func (s *sharedEvent) of(payload []byte) *Event {
	if invocation.Same(s.first.raw, payload) {
		return &s.first
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replaced == nil || !invocation.Same(s.replaced.raw, payload) {
		s.replaced = &Event{raw: payload, limits: s.first.lockedLimits()}
	}
	return s.replaced
}

// Raw returns the payload as it came. The runtime reuses its memory after the
// invocation: what is to outlive it must be copied.
func (e *Event) Raw() []byte { return e.raw }

// Trigger returns what invoked the function.
func (e *Event) Trigger() Trigger {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.walk().Trigger()
}

// walk reads the event once, whatever the limits are. One that has more in it
// than most is read strictly only when it is found to be within its limits.
func (e *Event) walk() *request.Request {
	if e.walked != nil {
		return e.walked
	}
	standard := defaultLimits(Unknown)
	if e.lax = !strictjson.Within(e.raw, standard.Depth, standard.Nodes); e.lax {
		e.walked = request.Partial(e.raw)
	} else {
		e.walked, e.refused = request.Read(e.raw)
	}
	if e.refused != nil { // whatever it is that is wrong, it is to be answered
		e.walked = request.Partial(e.raw)
	}
	return e.walked
}

// Tree returns the payload as map[string]any, []any, string, bool, nil and
// [encoding/json.Number], which keeps a number as it was written. The text is
// held to the limits and to strict JSON; the error is an [*Error].
func (e *Event) Tree() (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tree.get(func() (any, error) { return e.readTree(e.raw) })
}

// Body returns the HTTP body, base64 taken off, never more than the limit. A
// request without one has an empty body. The error is an [*Error]: TooLarge,
// or Invalid where the event is not an HTTP request.
func (e *Event) Body() ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readBody()
}

// BodyTree returns the HTTP body as a tree, see [Event.Tree].
func (e *Event) BodyTree() (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bodyTree.get(func() (any, error) {
		body, err := e.readBody()
		if err != nil {
			return nil, err
		}
		return e.readTree(body)
	})
}

// Decode reads the payload into v, a pointer to a zero value, as [Func] does.
func (e *Event) Decode(v any, opts ...DecodeOption) error {
	return decode(e.raw, v, e.lockedLimits(), opts)
}

// DecodeBody reads the HTTP body into v, a pointer to a zero value.
func (e *Event) DecodeBody(v any, opts ...DecodeOption) error {
	body, err := e.Body()
	if err != nil {
		return err
	}
	return decode(body, v, e.lockedLimits(), opts)
}

// Request returns the HTTP request in the event, whichever gateway sent it, the
// call that an authorizer is asked about, and who asks for a field of AppSync. It
// is not nil. The error is an [*Error] of kind Invalid or TooLarge; the request
// beside it is partial, and nothing but the answer may be made from it.
func (e *Event) Request() (*request.Request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readRequest()
}

// HTTP returns the HTTP request as an event of payload format 2.0, whichever
// form it came in: lower-case header names, several values joined by a comma,
// cookies apart. Lattice provides no route and no source address, and the
// caller's ARN only with IAM auth. The error is an [*Error] of kind Invalid or
// TooLarge.
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

func (e *Event) readTree(text []byte) (any, error) {
	limits := e.currentLimits()
	if err := limits.check(text); err != nil {
		return nil, err
	}
	tree, err := strictjson.Tree(text)
	if err != nil {
		return nil, refuse(err)
	}
	return tree, nil
}

func (e *Event) readRequest() (*request.Request, error) {
	_, err := e.request.get(func() (*request.Request, error) {
		r := e.walk()
		limits := e.currentLimits()
		if r.Trigger().IsHTTP() {
			if err := checkBody(r, limits.Body); err != nil {
				return nil, err
			}
		}
		if err := limits.check(e.raw); err != nil {
			return nil, err
		}
		if e.lax { // and within its limits
			strict, err := request.Read(e.raw)
			if e.lax, e.refused = false, err; err == nil {
				e.walked, r = strict, strict
			}
		}
		switch {
		case e.refused != nil:
			return nil, refuse(e.refused)
		case r.Trigger() == WebSocket, r.Trigger() == Authorizer, r.Trigger() == AppSync:
			return nil, nil
		case !r.Trigger().IsHTTP() || r.Method() == "":
			return nil, notHTTP()
		default:
			return nil, nil
		}
	})
	return e.walked, err
}

func notHTTP() *Error {
	return &Error{Kind: Invalid, Code: "not_an_http_event", Detail: "The event is not an HTTP request."}
}

func (e *Event) readBody() ([]byte, error) {
	return e.body.get(func() ([]byte, error) {
		r, err := e.readRequest()
		if err != nil {
			return nil, err
		}
		body, err := r.Body()
		if errors.Is(err, request.ErrNotBase64) {
			return nil, &Error{Kind: Invalid, Code: "malformed_base64", Detail: "The body is not base64."}
		}
		if limit := e.currentLimits().Body; len(body) > limit {
			return nil, tooLarge("body", "body", limit)
		}
		return body, nil
	})
}

// setLimits lets the event be read that a layer further out could not read under
// the limits that it had until then.
func (e *Event) setLimits(l Limits) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limits = l
	e.tree.reconsider()
	e.request.reconsider()
	e.http.reconsider()
	e.body.reconsider()
	e.jsonBody.reconsider()
	e.bodyTree.reconsider()
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
