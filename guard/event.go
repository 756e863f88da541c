package guard

import (
	"context"
	"encoding/base64"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Event is the payload of an invocation and what has been read from it. Views
// are made on first use and kept: however many layers ask, the payload is
// decoded once. All methods are safe for concurrent use; what they return is
// shared and must not be changed.
type Event struct {
	raw []byte

	mu       sync.Mutex // guards all below
	limits   Limits     // effective; zero until set or first needed
	trigger  Trigger    // "" until asked for
	peek     view[rawBody]
	tree     view[any]
	request  view[*Request]
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

// EventOf gives the event that the layers of an invocation share. It is bound
// to the payload: for a layer that is given another one, because one further
// out has rewritten it, it is an event of that payload. Outside [Wrap] it is a
// fresh one at every call.
func EventOf(ctx context.Context, payload []byte) *Event {
	inv := invocationOf(ctx)
	if inv == nil {
		return &Event{raw: payload}
	}
	if same(inv.event.raw, payload) {
		return &inv.event
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.rewritten == nil || !same(inv.rewritten.raw, payload) {
		inv.rewritten = &Event{raw: payload, limits: inv.event.lockedLimits()}
	}
	return inv.rewritten
}

// same reports whether two slices are one: equal bytes elsewhere are not, as
// comparing them would cost what sharing saves.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// Raw is the payload as it came. The runtime reuses its memory after the
// invocation: what is to outlive it must be copied.
func (e *Event) Raw() []byte { return e.raw }

// Trigger tells what invoked the function. It looks at member names alone and
// costs less than a microsecond for a usual event.
func (e *Event) Trigger() Trigger {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.currentTrigger()
}

func (e *Event) currentTrigger() Trigger {
	if e.trigger == "" {
		e.trigger = triggerOf(e.raw)
	}
	return e.trigger
}

// Tree is the payload as map[string]any, []any, string, bool, nil and
// [encoding/json.Number], which keeps a number as it was written. The text is
// held to the limits and to strict JSON; the error is an [*Error].
func (e *Event) Tree() (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tree.get(func() (any, error) { return e.readTree(e.raw) })
}

// Body is the HTTP body, base64 taken off, never more than the limit. A
// request without one has an empty body. The error is an [*Error]: TooLarge,
// or Invalid where the event is not an HTTP request.
func (e *Event) Body() ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readBody()
}

// BodyTree is the HTTP body as a tree, see [Event.Tree].
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

// Request is the request of an HTTP API, a function URL, a REST API or VPC
// Lattice, read as far as it is asked. The error is an [*Error] of kind Invalid
// or TooLarge.
func (e *Event) Request() (*Request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readRequest()
}

// HTTP is the whole request of an HTTP API or a function URL, and of a REST API
// or VPC Lattice in the same form: lower-case header names, several values joined
// by a comma, cookies apart. Lattice tells neither route nor source address, and
// of who called the ARN, where it has authenticated that by IAM.
// The error is an [*Error] of kind Invalid or TooLarge.
func (e *Event) HTTP() (*events.APIGatewayV2HTTPRequest, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.readHTTP()
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

func (e *Event) readRequest() (*Request, error) {
	return e.request.get(func() (*Request, error) {
		limits := e.currentLimits()
		if err := e.checkBody(limits.Body); err != nil {
			return nil, err
		}
		if !e.format2() {
			full, err := e.readHTTP()
			if err != nil {
				return nil, err
			}
			return upgraded(full), nil
		}
		return newRequest(e.raw, limits)
	})
}

func (e *Event) readHTTP() (*events.APIGatewayV2HTTPRequest, error) {
	return e.http.get(func() (*events.APIGatewayV2HTTPRequest, error) {
		if err := e.checkBody(e.currentLimits().Body); err != nil {
			return nil, err
		}
		if e.currentTrigger() == VPCLattice {
			return e.readLattice()
		}
		if !e.format2() {
			return e.readHTTP1()
		}
		req := new(events.APIGatewayV2HTTPRequest)
		if err := decode(e.raw, req, e.currentLimits(), nil); err != nil {
			return nil, err
		}
		if req.RequestContext.HTTP.Method == "" {
			return nil, notHTTP()
		}
		return req, nil
	})
}

func (e *Event) format2() bool {
	return e.currentTrigger() != VPCLattice && string(jsonpeek.Text(jsonpeek.Lookup(e.raw, "version"))) == "2.0"
}

func (e *Event) readHTTP1() (*events.APIGatewayV2HTTPRequest, error) {
	req := new(events.APIGatewayProxyRequest)
	if err := decode(e.raw, req, e.currentLimits(), nil); err != nil {
		return nil, err
	}
	if req.HTTPMethod == "" {
		return nil, notHTTP()
	}
	return upgrade(req), nil
}

func (e *Event) readLattice() (*events.APIGatewayV2HTTPRequest, error) {
	req := new(latticeRequest)
	if err := decode(e.raw, req, e.currentLimits(), nil); err != nil {
		return nil, err
	}
	if req.Method == "" {
		return nil, notHTTP()
	}
	return req.upgrade(), nil
}

func notHTTP() *Error {
	return &Error{Kind: Invalid, Code: "not_an_http_event", Detail: "The event is not an HTTP request."}
}

func (e *Event) readBody() ([]byte, error) {
	return e.body.get(func() ([]byte, error) {
		req, err := e.readRequest()
		if err != nil {
			return nil, err
		}
		body, encoded := req.body()
		if encoded {
			n, err := base64.StdEncoding.Decode(body, body)
			if err != nil {
				return nil, &Error{Kind: Invalid, Code: "malformed_base64", Detail: "The body is not base64."}
			}
			body = body[:n]
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
		e.limits = Limits{}.effective(e.currentTrigger())
	}
	return e.limits
}
