package authorizer

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Option changes [Simple] and [Policy].
type Option func(*decider)

// Uncached declares that the authorizer's result TTL is 0, so that the gateway
// stores no decision. A decision may then depend on all of the request. It is only
// for such an authorizer: if the gateway does store decisions, a caller who was
// allowed one call is allowed others.
func Uncached() Option {
	return func(d *decider) { d.uncached = true }
}

// EdgeHeaders names headers that a CDN, a firewall or a proxy in front of the
// gateway sets, such as "X-Waf-Verdict". A decision depends on them even if the
// check that read them failed inside [Any], for a client cannot leave out what an
// edge adds. Names are matched in any case; an empty one panics.
func EdgeHeaders(names ...string) Option {
	keys := make([]string, len(names))
	for i, name := range names {
		if name == "" {
			panic("authorizer: EdgeHeaders with an empty name")
		}
		keys[i] = fieldlines.Key(name)
	}
	return func(d *decider) { d.edge = append(d.edge, keys...) }
}

// decider is what Simple, Policy and AppSync have in common.
type decider struct {
	check    Check
	uncached bool
	declared map[place]bool // identity sources of a REST API
	complete bool           // the tables of Routes name all routes
	formats  []Format       // that the answer is for
	edge     []string       // headers that are not the client's to leave out
	with401  bool           // Simple answers Unauthenticated with the error Unauthorized
}

func newDecider(name string, c Check, opts []Option, formats ...Format) *decider {
	if c == nil {
		panic("authorizer: " + name + " with a nil check")
	}
	d := &decider{check: c, formats: formats}
	for _, opt := range opts {
		opt(d)
	}
	return d
}

// verdict is what is to be answered.
type verdict int

const (
	failed          verdict = iota // the check is broken: nobody is allowed, nothing is kept
	unauthenticated                // no credential, or one that does not hold
	forbidden
	allowed
)

// request reads the event and holds it to the formats of the answer. Until there
// is a decision it has failed, also for a check that panics.
func (d *decider) request(ctx context.Context, payload []byte) (*Request, error) {
	decided(ctx, failed)
	r, err := requestOf(ctx, payload)
	if err != nil {
		return nil, err
	}
	if key := r.in.routeKey; key != "" {
		layer.SetRoute(ctx, key)
	}
	if !slices.Contains(d.formats, r.in.format) {
		return nil, &guard.Error{Kind: guard.Internal, Code: "authorizer_format", Err: reason.New("authorizer: events of format " +
			string(r.in.format) + " take another answer: see Simple, Policy and AppSync")}
	}
	return r, nil
}

// errNoAnswer is a check that broke its contract.
var errNoAnswer = reason.New("authorizer: a check has returned neither a grant nor an error")

// ask has the check decide. The grant is there if and only if the error is nil.
func ask(ctx context.Context, c Check, r *Request) (*Grant, error) {
	g, err := c(ctx, r)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, errNoAnswer
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if g.expired(time.Now()) {
		return nil, guard.Errorf(guard.Unauthenticated, "credential_expired", "The credential has expired.")
	}
	return g, nil
}

// ask has the check of an authorizer decide. An error that is not a denial is a
// failure of ours, whatever kind it has.
func (d *decider) ask(ctx context.Context, r *Request) (*Grant, error) {
	g, err := ask(ctx, d.check, r)
	if verdictOf(err) == failed && guard.KindOf(err).IsClientError() {
		err = &guard.Error{Kind: guard.Internal, Code: guard.Public(err).Code, Err: err}
	}
	return g, err
}

// expired goes by the wall clock: the process may have been frozen.
func (g *Grant) expired(now time.Time) bool {
	return !g.Expires.IsZero() && !now.Round(0).Before(g.Expires)
}

// verdictOf returns what an error of a check stands for.
func verdictOf(err error) verdict {
	if err == nil {
		return allowed
	}
	switch guard.KindOf(err) {
	case guard.Unauthenticated:
		return unauthenticated
	case guard.Forbidden:
		return forbidden
	default:
		return failed
	}
}

// decided puts a decision into the record of the invocation, in place of one
// before.
func decided(ctx context.Context, v verdict) {
	word := "deny"
	switch v {
	case allowed:
		word = "allow"
	case failed:
		word = "fail"
	}
	guard.AddAttrs(ctx, slog.String("decision", word))
}

// logged is decided, with who, and of a denial why.
func logged(ctx context.Context, g *Grant, err error) verdict {
	v := verdictOf(err)
	decided(ctx, v)
	if g != nil {
		_ = layer.SetPrincipal(ctx, g.Principal) // an authorizer has no layer inside
	}
	if err != nil {
		layer.SetError(ctx, err)
	}
	return v
}

// hazard refuses a decision that the gateway could take for another's, and
// records how to mend that. The fault is ours, and it is an error: a denial would
// be kept, and one client could have another locked out.
func hazard(ctx context.Context, fix string) error {
	decided(ctx, failed)
	guard.AddAttrs(ctx, slog.String("fix", fix))
	err := &guard.Error{
		Kind: guard.Internal, Code: "authorizer_cache_hazard",
		Err: reason.New("authorizer: the decision depends on what the gateway's cache does not keep apart"),
	}
	layer.SetError(ctx, err)
	return err
}

// fix says how to let the gateway keep decisions apart by what was read.
func fix(in *input, uncovered []read) string {
	var add, never []string
	for _, u := range uncovered {
		source := u.identitySource(in.format)
		switch {
		case source == "" || in.format == RESTToken:
			never = appendNew(never, u.what())
		case u.value == "":
			never = appendNew(never, u.what()+" that is not there")
		case in.amongSources(u.value):
			never = appendNew(never, u.what()+" where the request has the same value in another place")
		default:
			if u.kind == inRouteKey && in.format == RESTRequest {
				add = appendNew(add, place{kind: inMethod}.identitySource(in.format))
			}
			add = appendNew(add, source)
		}
	}
	var ways []string
	if len(add) > 0 && len(never) == 0 {
		way := "add " + strings.Join(add, " and ") + " to the authorizer's identity sources"
		if in.format == RESTRequest {
			way += " and to IdentitySources"
		}
		ways = append(ways, way)
	}
	if len(never) > 0 {
		ways = append(ways, "do not read "+strings.Join(never, ", ")+", as no identity source is sure to hold that")
	}
	return strings.Join(append(ways, "set the result TTL to 0 and declare it with Uncached()"), ", or ")
}

func appendNew(to []string, text string) []string {
	if slices.Contains(to, text) {
		return to
	}
	return append(to, text)
}
