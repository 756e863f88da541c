package guard

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/invocationctx"
)

// invocation is what the layers of one invocation share. It is a context of
// its own, so that an invocation costs one allocation and a look-up one step.
type invocation struct {
	context.Context
	event Event
	lc    *lambdacontext.LambdaContext // never nil
	cold  bool

	unwise []string // orders in the chain, for Log to warn of

	sampling  sync.Once
	sampledIn bool // once sampling is done
	kept      logBuffer

	mu          sync.Mutex
	attrs       []slog.Attr // for the record of the invocation
	route       string
	principal   string
	sealed      bool  // the principal is not to change
	broken      bool  // and was to
	err         error // what a layer has turned into an answer
	correlation string
	rewritten   *Event // of the payload that an outer layer passes on instead
	answered    []byte // the last answer of which somebody has told the status
	status      int
}

// Answered notes the status of an answer.
func (inv *invocation) Answered(out []byte, status int) {
	inv.mu.Lock()
	inv.answered, inv.status = out, status
	inv.mu.Unlock()
}

type invocationKey struct{}

// Value gives the invocation itself for its key.
func (inv *invocation) Value(key any) any {
	switch key {
	case invocationKey{}, answer.Key{}:
		return inv
	case invocationctx.Key{}:
		return inv.Context
	}
	return inv.Context.Value(key)
}

// invocationOf is nil outside an invocation.
func invocationOf(ctx context.Context) *invocation {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	return inv
}

// enter returns the context of an invocation, a new one where h is the first
// of the handlers that asks.
func enter(ctx context.Context, payload []byte, h *named) context.Context {
	if invocationOf(ctx) != nil {
		return ctx
	}
	inv := &invocation{Context: ctx, unwise: h.unwise}
	inv.event.raw = payload
	if inv.lc, _ = lambdacontext.FromContext(ctx); inv.lc == nil {
		inv.lc = &lambdacontext.LambdaContext{}
	}
	// A load first: the flag is written once, and read by every core after.
	inv.cold = !h.warm.Load() && !h.warm.Swap(true) && !provisioned()
	return inv
}

// provisioned reports whether the process was started ahead of its first event.
func provisioned() bool {
	switch os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") {
	case "provisioned-concurrency", "lambda-managed-instances":
		return true
	default:
		return false
	}
}

// ColdStart reports whether the invocation of ctx is the first of its process
// and had to wait for it: with provisioned concurrency and on managed instances
// none does. It is false outside an invocation.
func ColdStart(ctx context.Context) bool {
	inv := invocationOf(ctx)
	return inv != nil && inv.cold
}

// InvocationDeadline returns when Lambda ends the invocation of ctx, however
// early ctx itself ends. Outside an invocation it is the deadline of ctx. It
// reports false where there is none.
func InvocationDeadline(ctx context.Context) (end time.Time, ok bool) {
	if inv := invocationOf(ctx); inv != nil {
		ctx = inv.Context
	}
	return ctx.Deadline()
}

// TraceID is the X-Ray trace id of the invocation, the Root of the tracing
// header, like 1-5759e988-bd862e3fe1be46a994272793; "" when there is none. It
// is taken from the context: the environment variable of that name belongs to
// whichever concurrent invocation wrote it last.
func TraceID(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for len(header) > 0 {
		var field string
		field, header, _ = strings.Cut(header, ";")
		if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return root
		}
	}
	return ""
}

// requestID is the id of the invocation, "" outside one.
func requestID(ctx context.Context) string {
	if inv := invocationOf(ctx); inv != nil {
		return inv.lc.AwsRequestID
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}

// AddAttrs adds attributes to the record that [Log] writes at the end of the
// invocation of ctx. It is safe for concurrent use and does nothing outside an
// invocation. Of attributes of the same key the last one stays; a group without
// a key stands for its members. Of an error the record says what it says of the
// invocation's own: see [Log].
func AddAttrs(ctx context.Context, attrs ...slog.Attr) {
	if inv := invocationOf(ctx); inv != nil {
		attrs = inline(attrs)
		inv.mu.Lock()
		defer inv.mu.Unlock()
		inv.attrs = slices.Grow(inv.attrs, len(attrs))
		for _, a := range attrs {
			if a.Key != "" {
				inv.attrs = without(inv.attrs, a.Key)
			}
			inv.attrs = append(inv.attrs, a)
		}
	}
}

// inline puts the members of groups without a key in their place, as slog will.
func inline(attrs []slog.Attr) []slog.Attr {
	for i, a := range attrs {
		if a.Key != "" {
			continue
		}
		if group := a.Value.Resolve(); group.Kind() == slog.KindGroup {
			return slices.Concat(attrs[:i], inline(group.Group()), inline(attrs[i+1:]))
		}
	}
	return attrs
}

// without leaves attrs as they are for who reads them.
func without(attrs []slog.Attr, key string) []slog.Attr {
	i := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == key })
	if i < 0 {
		return attrs
	}
	return slices.Concat(attrs[:i], attrs[i+1:])
}

// SetRoute names the route that the invocation took, for its record: a
// pattern like "GET /orders/{id}", never a path with values in it. A router
// calls it; without one the record has the route key of the gateway.
func SetRoute(ctx context.Context, pattern string) {
	if inv := invocationOf(ctx); inv != nil {
		inv.mu.Lock()
		inv.route = pattern
		inv.mu.Unlock()
	}
}

// SetPrincipal names who calls, once that has been found out: for the record of
// the invocation, and for layers that keep callers apart, as idempotency does.
// The last one is kept. It does nothing outside an invocation. The error is that
// of a layer inside one that has gone by another principal, see [SealPrincipal]:
// the layer must not go on.
func SetPrincipal(ctx context.Context, principal string) error {
	inv := invocationOf(ctx)
	if inv == nil {
		return nil
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.sealed && inv.principal != principal {
		inv.broken = true
		return errSealed()
	}
	inv.principal = principal
	return nil
}

// SealPrincipal returns who calls, for a layer that answers by that: from then on
// [SetPrincipal] refuses to name anybody else. A layer that stores an answer asks
// intact before it does: an error says that somebody was named inside, so that
// the answer may be for another caller than it would be stored for.
func SealPrincipal(ctx context.Context) (principal string, intact func() error) {
	inv := invocationOf(ctx)
	if inv == nil {
		return "", func() error { return nil }
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.sealed = true
	return inv.principal, func() error {
		inv.mu.Lock()
		defer inv.mu.Unlock()
		if inv.broken {
			return errSealed()
		}
		return nil
	}
}

func errSealed() error {
	return &Error{Kind: Internal, Code: "order_unsafe", Err: Reason(
		"guard: a layer names who calls inside one that has already gone by that; list the layer that authorizes first")}
}

// Principal is who calls, as a layer further out has found out; "" when none
// has.
func Principal(ctx context.Context) string {
	inv := invocationOf(ctx)
	if inv == nil {
		return ""
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.principal
}

// told is what SetError was told last.
func (inv *invocation) told() error {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.err
}

// SetError tells the record of the invocation about an error that does not
// leave the chain, because a layer has made an answer of it. The last one
// told is the one recorded; but one that is itself an answer for the platform,
// a [messages.InvokeResponse_Error], does not take the place of what it was
// made of.
func SetError(ctx context.Context, err error) {
	if inv := invocationOf(ctx); inv != nil {
		inv.mu.Lock()
		if inv.err == nil || !reported(err) {
			inv.err = err
		}
		inv.mu.Unlock()
	}
}
