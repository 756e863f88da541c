package quota

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/textsum"
)

// OnFailure is what [Limit] does with a request if the store does not answer. The
// zero value is none of them, and Limit panics.
type OnFailure int

const (
	// FailClosed refuses the request, as Unavailable: a 503. No request passes
	// uncounted.
	FailClosed OnFailure = iota + 1
	// FailOpen lets the request pass uncounted: while the store is down nothing is
	// limited. Use it if the limit is for fairness, and never if it protects
	// something, such as a password or a bill.
	FailOpen
)

// Limit refuses requests above the quota of a policy. All policies have to allow a
// request; one that is refused uses up nothing of them. After a refusal the store is
// not asked for the others. Each that passes counts, also
// if the handler fails, and so does a replay of idempotency.Once.
//
// List Limit inside the layer that authenticates, and outside idempotency.Once. The
// errors, each a [guard.Error]:
//
//	quota_exceeded           TooManyRequests  try again after RetryAfter
//	quota_unavailable        Unavailable      the store does not answer, see FailClosed
//	quota_principal_missing  Unauthenticated  see Principal
//	quota_source_missing     Internal         see SourceIP
//	quota_key_missing        Internal         see By
//
// The record of [guard.Log] names the policies that refused a request, as
// quotaExceeded. It has the failure of the store as quotaError if the request passed,
// and as error.cause if it did not.
//
// Limit panics if store is nil, onFailure is not one of its values, no policy is
// given, or two have one name.
func Limit(store Counter, onFailure OnFailure, policies ...Policy) guard.Middleware {
	return limit(nil, store, onFailure, policies)
}

func limit(now clock.Clock, store Counter, onFailure OnFailure, policies []Policy) guard.Middleware {
	switch {
	case store == nil:
		panic("quota: Limit with a nil store")
	case onFailure != FailClosed && onFailure != FailOpen:
		panic("quota: Limit without FailClosed or FailOpen")
	case len(policies) == 0:
		panic("quota: Limit without a policy")
	}
	l := &limiter{
		policies: slices.Clone(policies), open: onFailure == FailOpen, clock: now, function: lambdacontext.FunctionName,
		shares: shares{store: store, clock: now, byKey: make(map[string]*share)},
	}
	for i, p := range policies {
		if p.name == "" {
			panic("quota: Limit with an empty Policy")
		}
		if slices.ContainsFunc(policies[:i], func(other Policy) bool { return other.name == p.name }) {
			panic("quota: Limit with two policies named " + strconv.Quote(p.name))
		}
		l.advertised = append(l.advertised, p.advertised())
	}
	m := guard.Chain(guard.OnRestore(l.shares.forget), httpapi.HeaderLayer("quota.Limit", l.invoke))
	if slices.ContainsFunc(policies, Policy.isOfPrincipals) {
		return guard.Chain(m, layer.Named("quota.Principal", func(next lambda.Handler) lambda.Handler { return next }))
	}
	return m
}

func (p Policy) isOfPrincipals() bool {
	return slices.ContainsFunc(p.per, func(k Key) bool { return k.ofPrincipal })
}

type limiter struct {
	policies   []Policy
	advertised []string
	open       bool
	clock      clock.Clock
	function   string // the name of the Lambda function
	shares     shares
}

// limits are the items of the RateLimit headers, those of outer limits first.
type limits struct{ policies, states []string }

type limitsKey struct{}

func (l *limiter) invoke(ctx context.Context, payload []byte, header http.Header, next lambda.Handler) ([]byte, error) {
	now := l.clock.Now()
	keys, err := l.keys(ctx, guard.EventOf(ctx, payload), now)
	if err != nil {
		return nil, err
	}
	states, err := l.admit(ctx, keys, now)
	all := limits{l.advertised, states}
	if outer, ok := ctx.Value(limitsKey{}).(limits); ok {
		all = limits{slices.Concat(outer.policies, all.policies), slices.Concat(outer.states, all.states)}
	}
	header.Set("RateLimit-Policy", strings.Join(all.policies, ", "))
	if len(all.states) > 0 {
		header.Set("RateLimit", strings.Join(all.states, ", "))
	}
	if err != nil {
		return nil, err
	}
	return next.Invoke(context.WithValue(ctx, limitsKey{}, all), payload)
}

// keys returns the key of the current window for each policy. Policies, functions
// and tenants share none, and no text of a caller is one.
func (l *limiter) keys(ctx context.Context, ev *guard.Event, now time.Time) ([]string, error) {
	tenant := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		tenant = lc.TenantID
	}
	keys := make([]string, len(l.policies))
	for i := range l.policies {
		p := &l.policies[i]
		parts := append(make([]string, 0, 12), "lambdarmor quota 1", l.function, tenant,
			p.name, strconv.FormatInt(p.window, 10), strconv.FormatInt(p.endAt(now).Unix(), 10))
		for _, key := range p.per {
			kind, value, err := key.find(ctx, ev)
			if err != nil {
				return nil, err
			}
			parts = append(parts, kind, value)
		}
		keys[i] = textsum.Of(parts...)
	}
	return keys, nil
}

// admit returns an error if the request must not pass, and the state of the
// policies that are known.
func (l *limiter) admit(ctx context.Context, keys []string, now time.Time) (states []string, err error) {
	got := make([]spent, len(keys))
	var failed error
	refused := false
	for i := range got { // what this process knows, as a refused request should take no share
		one, err := l.shares.spend(keys[i], l.policies[i].endAt(now))
		if err != nil {
			failed = err
		}
		got[i], refused = one, refused || one.refused
	}
	for i := range got {
		if p := &l.policies[i]; !got[i].ok && !refused && failed == nil {
			got[i], failed = l.shares.take(ctx, p, keys[i], p.endAt(now))
			refused = got[i].refused
		}
	}

	err = l.refusal(ctx, got, failed, now)
	for i, one := range got {
		if err != nil && one.ok {
			l.shares.giveBack(one)
			one.left++
		}
		if p := &l.policies[i]; one.asked {
			states = append(states, p.state(one.left, secondsUntil(p.endAt(now), now)))
		}
	}
	return states, err
}

// refusal returns the error of a request that must not pass. failed is the error of
// the store, if it has failed.
func (l *limiter) refusal(ctx context.Context, got []spent, failed error, now time.Time) error {
	var exceeded []string
	var until time.Time
	for i := range l.policies {
		if p := &l.policies[i]; got[i].refused {
			exceeded = append(exceeded, p.name)
			if end := p.endAt(now); end.After(until) {
				until = end
			}
		}
	}
	switch {
	case len(exceeded) > 0:
		guard.AddAttrs(ctx, slog.String("quotaExceeded", strings.Join(exceeded, ",")))
		return &guard.Error{
			Kind: guard.TooManyRequests, Code: "quota_exceeded", Detail: "The quota of requests is used up.",
			RetryAfter: time.Duration(secondsUntil(until, now)) * time.Second,
		}
	case failed != nil && !l.open:
		return &guard.Error{
			Kind: guard.Unavailable, Code: "quota_unavailable",
			Detail: "It is not known now whether the quota allows the request.", Err: failed,
		}
	case failed != nil:
		guard.AddAttrs(ctx, slog.Any("quotaError", failed))
	}
	return nil
}
