package authorizer

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// AppSyncOption changes [AppSync].
type AppSyncOption func(*appSync)

// DeniedFields sets which fields the caller does not get, as "Order.total" or by
// the ARN of the field: they are null in the answer, whatever else the grant allows.
// It panics if of is nil.
func DeniedFields(of func(*Grant) []string) AppSyncOption {
	if of == nil {
		panic("authorizer: DeniedFields with a nil function")
	}
	return func(a *appSync) { a.denied = of }
}

// TTL sets how long AppSync stores a grant, instead of what the API is configured
// with: whole seconds, at most an hour; 0 stores none. It panics for anything else.
func TTL(d time.Duration) AppSyncOption {
	if d < 0 || d > maxTTL || d%time.Second != 0 {
		panic("authorizer: TTL of less than nothing, more than an hour, or a part of a second")
	}
	return func(a *appSync) { a.ttl, a.override = d, true }
}

const maxTTL = time.Hour

type appSync struct {
	decider
	denied   func(*Grant) []string
	ttl      time.Duration
	override bool
}

// AppSync returns an authorizer for an AppSync API. It answers a grant with
// isAuthorized true and the grant as resolverContext, whose values are all strings;
// a denial with false; any other error with the error. It panics if the check is nil.
//
// AppSync stores a decision under the token alone, and the answer says for how long.
// A grant that depended on anything beside the token, such as the operation or a
// header, is not stored; no grant is stored for longer than it lasts; a denial is
// never stored. So the cache is no reason to refuse a decision.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization
func AppSync(c Check, opts ...AppSyncOption) lambda.Handler {
	a := &appSync{decider: *newDecider("AppSync", c, nil, GraphQL)}
	for _, opt := range opts {
		opt(a)
	}
	return guard.HandlerFunc(a.invoke)
}

func (a *appSync) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := a.request(ctx, payload)
	if err != nil {
		return nil, err
	}
	g, err := a.ask(ctx, r)
	keep := len(a.uncovered(r.in, r.reads.withEdge(a.edge))) == 0
	var answer []byte
	if err == nil {
		answer, err = a.grant(g, keep)
	}
	switch logged(ctx, g, err) {
	case failed:
		return nil, err
	case allowed:
		return answer, nil
	}
	return []byte(`{"isAuthorized":false,"ttlOverride":0}`), nil // time may mend it
}

func (a *appSync) grant(g *Grant, keep bool) ([]byte, error) {
	b := []byte(`{"isAuthorized":true,"resolverContext":`)
	b, err := g.appendContext(b, GraphQL)
	if err != nil {
		return nil, err
	}
	if a.denied != nil {
		fields := slices.Clone(a.denied(g))
		slices.Sort(fields)
		b = append(b, `,"deniedFields":[`...)
		for i, name := range fields {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = jsontext.AppendQuote(b, name); err != nil || name == "" {
				return nil, reason.New("authorizer: a denied field without a name")
			}
		}
		b = append(b, ']')
	}
	ttl, override := a.ttl, a.override
	if !keep {
		ttl, override = 0, true
	}
	if left := time.Until(g.Expires.Round(0)); !g.Expires.IsZero() && (!override || left < ttl) {
		ttl, override = min(max(left, 0), maxTTL), true
	}
	if override {
		b = strconv.AppendInt(append(b, `,"ttlOverride":`...), int64(ttl/time.Second), 10)
	}
	return append(b, '}'), nil
}
