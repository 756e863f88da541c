package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// decider has the parts that Simple, Policy and AppSync share.
type decider struct {
	check   Check
	formats []reads.Format // of the events that the answer is for
	options
}

func newDecider(name string, c Check, opts []Option, formats ...reads.Format) *decider {
	if c == nil {
		panic("authorizer: " + name + " with a nil check")
	}
	d := &decider{check: c, formats: formats}
	for _, opt := range opts {
		opt.set(&d.options)
	}
	return d
}

// handler returns an authorizer. answer turns a decision into the answer, the grant to log,
// and the refusal, which it may replace.
func (d *decider) handler(answer func(ctx context.Context, r *Request, g *Grant, refusal error) (any, *Grant, error)) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		recordDecision(ctx, failed) // until there is a decision, also if the check panics
		in, err := reads.ByAuthorizer(ctx, payload)
		if err != nil {
			return nil, err
		}
		if in.RouteKey != "" {
			layer.SetRoute(ctx, in.RouteKey)
		}
		if !slices.Contains(d.formats, in.Format) {
			return nil, &guard.Error{Kind: guard.Internal, Code: "authorizer_format", Err: reason.New("authorizer: events of the format " +
				string(in.Format) + " need another answer: see Simple, Policy and AppSync")}
		}
		r := newRequest(in)
		g, err := d.decide(ctx, r)
		a, g, err := answer(ctx, r, g, err)
		text, bad := json.Marshal(a)
		if bad == nil && in.Format == reads.WebSocket && len(text) > maxWebSocketAnswer {
			bad = fmt.Errorf("authorizer: an answer of %d bytes: a WebSocket API takes up to %d", len(text), maxWebSocketAnswer)
		}
		if bad != nil {
			err = bad
		}
		switch v := record(ctx, g, err); {
		case v == failed:
			return nil, err
		case v == unauthenticated && d.answer401:
			return nil, errUnauthorized
		default:
			return text, nil
		}
	})
}

// maxWebSocketAnswer is the largest answer that a WebSocket API takes, in bytes.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxWebSocketAnswer = 8 << 10

// errUnauthorized has the only text that the gateway turns into a 401.
var errUnauthorized = messages.InvokeResponse_Error{Type: "Unauthorized", Message: "Unauthorized"}

// decide runs the check. An error that is not a denial becomes an internal one.
func (d *decider) decide(ctx context.Context, r *Request) (*Grant, error) {
	g, err := decide(ctx, d.check, r)
	if verdictOf(err) == failed && guard.KindOf(err).IsClientError() {
		err = &guard.Error{Kind: guard.Internal, Code: guard.Public(err).Code, Err: err}
	}
	return g, err
}

// recordDecision sets the decision in the record of the invocation.
func recordDecision(ctx context.Context, v verdict) {
	guard.AddAttrs(ctx, slog.String("decision", [...]string{failed: "fail", unauthenticated: "deny", forbidden: "deny", allowed: "allow"}[v]))
}

// hazardError says why the gateway must not store a decision. The answer is an error,
// not a denial: a denial would be stored, and one client could lock others out.
type hazardError struct{ fix string }

const hazardText = "authorizer: the decision depends on what the gateway's cache does not keep apart"

func (e *hazardError) Error() string        { return hazardText }
func (e *hazardError) LogValue() slog.Value { return slog.StringValue(hazardText) }

// hazard returns a hazardError with the ways to fix it.
func hazard(ways ...string) error {
	fix := strings.Join(append(ways, "or set the result TTL to 0 and declare it with Uncached()"), ", ")
	return &guard.Error{Kind: guard.Internal, Code: "authorizer_cache_hazard", Err: &hazardError{fix}}
}

// record writes a decision, the principal and the reason to the record of the invocation. g
// may be nil.
func record(ctx context.Context, g *Grant, refusal error) verdict {
	v := verdictOf(refusal)
	recordDecision(ctx, v)
	v.count(ctx)
	if g != nil {
		_ = layer.SetPrincipal(ctx, g.Principal) // an authorizer has no layer inside that could object
	}
	if refusal != nil {
		layer.SetError(ctx, refusal)
	}
	var h *hazardError
	if errors.As(refusal, &h) {
		guard.AddAttrs(ctx, slog.String("fix", h.fix))
	}
	return v
}
