package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// An admitter lets a request pass and notes in it what the function sees, or
// returns why it may not pass.
type admitter interface {
	admit(ctx context.Context, req *event.Request) error
}

// A lambdaGate calls a Lambda authorizer for requests, and caches its rulings by
// the values of the identity sources.
type lambdaGate struct {
	fn      guardtest.Invoker
	timeout time.Duration
	failed  func(requestID string, err error) // may be nil

	sources  []event.Source
	required bool // a request without one of the sources is refused

	event func(req *event.Request, identity []string) []byte
	parse func(payload []byte) (*ruling, error)

	ttl    time.Duration
	now    func() time.Time
	recall func(*ruling) error // what is wrong with a kept ruling; may be nil

	mu   sync.Mutex
	kept map[string]keptRuling // by identity; guarded by mu
}

type keptRuling struct {
	*ruling
	until time.Time
}

// maxRulings bounds what is kept, against clients that bring a new identity each
// time.
const maxRulings = 10_000

// A ruling is an authorizer's answer. It holds for every request with the same
// identity, and rules on each by its ARN.
type ruling struct {
	allows    func(arn string) error // nil, errDenied or errDeniedExplicitly
	principal string                 // of a policy
	context   map[string]json.RawMessage
}

// The refusals of a request, besides a failure of the authorizer.
var (
	errUnauthorized     = errors.New("gateway: unauthorized")
	errDenied           = errors.New("gateway: the authorizer denies")
	errDeniedExplicitly = errors.New("gateway: the authorizer denies explicitly")
)

var errAuthorizerTimeout = fmt.Errorf("gateway: the authorizer timed out: %w", context.DeadlineExceeded)

// unauthorized is the only error text of an authorizer that is not a failure.
const unauthorized = "Unauthorized"

// API Gateway's limits.
const (
	authorizerTimeout = 10 * time.Second
	maxTTL            = time.Hour
)

// check sets the defaults of a gate's configuration, and refuses an invalid one.
func (g *lambdaGate) check() error {
	if g.now == nil {
		g.now = time.Now
	}
	if g.timeout == 0 {
		g.timeout = authorizerTimeout
	}
	switch {
	case g.fn == nil:
		return errors.New("gateway: an authorizer needs a function")
	case g.timeout < 0 || g.timeout > authorizerTimeout:
		return fmt.Errorf("gateway: an authorizer's timeout of %s is not between 0 and %s", g.timeout, authorizerTimeout)
	case g.ttl < 0 || g.ttl > maxTTL || g.ttl%time.Second != 0:
		return fmt.Errorf("gateway: a TTL of %s is not whole seconds from 0 to %s", g.ttl, maxTTL)
	case g.ttl > 0 && len(g.sources) == 0:
		return errors.New("gateway: an authorizer without identity sources has no cache key: it needs a TTL of 0, or a negative TTL at a REST API")
	}
	return nil
}

func (g *lambdaGate) admit(ctx context.Context, req *event.Request) error {
	var identity []string
	for _, source := range g.sources {
		value := source(req)
		if value == "" && g.required {
			return errUnauthorized
		}
		identity = append(identity, value)
	}
	rules, latency, err := g.rule(ctx, req, identity)
	if err == nil {
		err = rules.allows(req.ARN())
	}
	if err == nil {
		req.Admitted = &event.Admission{Principal: rules.principal, Context: rules.context, Latency: latency}
	}
	return err
}

// rule returns the cached ruling, or calls the authorizer.
func (g *lambdaGate) rule(ctx context.Context, req *event.Request, identity []string) (*ruling, time.Duration, error) {
	key := fmt.Sprintf("%q", identity) // distinguishes all values, those that are not UTF-8 too
	if known := g.get(key); known != nil {
		if g.recall != nil {
			if err := g.recall(known); err != nil {
				return nil, 0, g.fail(req.ID, err)
			}
		}
		return known, 0, nil
	}
	started := time.Now()
	asked, err := g.ask(ctx, req, identity)
	if err == nil && g.ttl > 0 {
		g.put(key, asked)
	}
	return asked, time.Since(started), err
}

func (g *lambdaGate) get(key string) *ruling {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.kept[key]; ok && g.now().Before(known.until) {
		return known.ruling
	}
	return nil
}

func (g *lambdaGate) put(key string, r *ruling) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept == nil || len(g.kept) >= maxRulings {
		g.kept = map[string]keptRuling{}
	}
	g.kept[key] = keptRuling{r, g.now().Add(g.ttl)}
}

// ask calls the authorizer.
func (g *lambdaGate) ask(ctx context.Context, req *event.Request, identity []string) (*ruling, error) {
	waiting, done := waitAtMost(ctx, g.timeout, errAuthorizerTimeout)
	defer done()
	result, err := g.fn.Do(waiting, guardtest.Call{Payload: g.event(req, identity), TraceID: req.Trace})
	var failure *guardtest.FunctionError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // the client is gone
	case waiting.Err() != nil:
		return nil, g.fail(result.RequestID, errAuthorizerTimeout)
	case errors.As(err, &failure) && failure.Message == unauthorized:
		return nil, errUnauthorized
	case err != nil:
		return nil, g.fail(result.RequestID, err)
	}
	r, err := g.parse(result.Payload)
	if err != nil {
		return nil, g.fail(result.RequestID, fmt.Errorf("gateway: the authorizer's answer: %w", err))
	}
	return r, nil
}

func (g *lambdaGate) fail(requestID string, err error) error {
	if g.failed != nil {
		g.failed(requestID, err)
	}
	return err
}

var errTimeout = fmt.Errorf("gateway: the function did not answer in time: %w", context.DeadlineExceeded)

// invoke calls the function and reads its answer. The timeout is not the
// function's: it only ends the waiting, as the client's leaving does.
func invoke(fn guardtest.Invoker, req *event.Request, payload event.Object, timeout time.Duration, parse func(guardtest.Result) (answer.Response, error)) (got answer.Response, requestID string, err error) {
	ctx, done := waitAtMost(req.HTTP.Context(), timeout, errTimeout)
	defer done()
	result, err := fn.Do(ctx, guardtest.Call{Payload: event.Marshal(payload), TraceID: req.Trace})
	if err == nil {
		got, err = parse(result)
	}
	return got, result.RequestID, err
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
