package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// An admitter lets a request pass and notes in it what the function is told, or
// returns why it may not.
type admitter interface {
	admit(ctx context.Context, req *request) error
}

// A gate asks an authorizer about requests, and remembers its rulings.
type gate struct {
	fn      guardtest.Invoker
	timeout time.Duration
	failed  func(requestID string, err error) // may be nil

	sources  []identitySource
	required bool // a request without one of the sources is refused

	event func(req *request, identity []string) []byte
	parse func(payload []byte) (*ruling, error)

	ttl    time.Duration
	now    func() time.Time
	recall func(*ruling) error // what is wrong with a ruling from the cache; may be nil
	cache  rulings
}

// A ruling is an authorizer's answer. It holds for every request with the same
// identity, and rules on each by its ARN.
type ruling struct {
	allows    func(arn string) error // nil, errDenied or errDeniedExplicitly
	principal string                 // of a policy
	context   map[string]json.RawMessage
}

// An admission is what the function is told of a request that may pass.
type admission struct {
	*ruling
	latency time.Duration // of the authorizer's call, 0 for a ruling from the cache
}

// What keeps a request out, besides a failure of the authorizer.
var (
	errUnauthorized     = errors.New("gateway: unauthorized")
	errDenied           = errors.New("gateway: the authorizer denies")
	errDeniedExplicitly = errors.New("gateway: the authorizer denies explicitly")
)

var errAuthorizerTimeout = fmt.Errorf("gateway: the authorizer timed out: %w", context.DeadlineExceeded)

// unauthorized is the only error text of an authorizer that is not a failure.
const unauthorized = "Unauthorized"

// maxTTL is API Gateway's limit on how long a ruling is kept.
const maxTTL = time.Hour

// checkTTL tells what an API cannot be given.
func checkTTL(ttl time.Duration) error {
	if ttl < 0 || ttl > maxTTL || ttl%time.Second != 0 {
		return fmt.Errorf("gateway: a TTL of %s is not whole seconds from 0 to %s", ttl, maxTTL)
	}
	return nil
}

func (g *gate) admit(ctx context.Context, req *request) error {
	identity, complete := g.identify(req)
	if g.required && !complete {
		return errUnauthorized
	}
	admitted, err := g.rule(ctx, req, identity)
	if err == nil {
		err = admitted.allows(req.arn())
	}
	if err == nil {
		req.admitted = &admitted
	}
	return err
}

func (g *gate) identify(req *request) (identity []string, complete bool) {
	complete = true
	for _, source := range g.sources {
		value := source.value(req)
		identity = append(identity, value)
		complete = complete && value != ""
	}
	return identity, complete
}

// rule takes the ruling from the cache, or else from the authorizer.
func (g *gate) rule(ctx context.Context, req *request, identity []string) (admission, error) {
	if g.ttl == 0 {
		return g.ask(ctx, req, identity)
	}
	key := fmt.Sprintf("%q", identity) // tells all values apart, those that are not UTF-8 too
	if known := g.cache.get(key, g.now()); known != nil {
		if g.recall != nil {
			if err := g.recall(known); err != nil {
				return admission{}, g.fail(req.id, err)
			}
		}
		return admission{ruling: known}, nil
	}
	admitted, err := g.ask(ctx, req, identity)
	if err == nil {
		g.cache.put(key, admitted.ruling, g.now().Add(g.ttl))
	}
	return admitted, err
}

// ask calls the authorizer. What is no ruling is not remembered either.
func (g *gate) ask(ctx context.Context, req *request, identity []string) (admission, error) {
	waiting, done := waitAtMost(ctx, g.timeout, errAuthorizerTimeout)
	defer done()
	started := time.Now()
	result, err := g.fn.Do(waiting, guardtest.Call{Payload: g.event(req, identity), TraceID: req.trace})
	var failure *guardtest.FunctionError
	switch {
	case ctx.Err() != nil:
		return admission{}, ctx.Err() // the client is gone
	case waiting.Err() != nil:
		return admission{}, g.fail(result.RequestID, errAuthorizerTimeout)
	case errors.As(err, &failure) && failure.Message == unauthorized:
		return admission{}, errUnauthorized
	case err != nil:
		return admission{}, g.fail(result.RequestID, err)
	}
	ruling, err := g.parse(result.Payload)
	if err != nil {
		return admission{}, g.fail(result.RequestID, fmt.Errorf("gateway: the authorizer's answer: %w", err))
	}
	return admission{ruling: ruling, latency: time.Since(started)}, nil
}

func (g *gate) fail(requestID string, err error) error {
	if g.failed != nil {
		g.failed(requestID, err)
	}
	return err
}

// waitAtMost ends ctx with the cause after d. It sets no deadline, which would
// become the invocation's own.
func waitAtMost(ctx context.Context, d time.Duration, cause error) (waiting context.Context, done func()) {
	waiting, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { cancel(cause) })
	return waiting, func() {
		timer.Stop()
		cancel(nil)
	}
}
