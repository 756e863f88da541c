package authorizer

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// AppSyncOption changes [AppSync].
type AppSyncOption struct{ set func(*appSyncOptions) }

type appSyncOptions struct {
	denied func(*Grant) []string
	ttl    *time.Duration // nil: what the API is configured with
}

// DeniedFields sets the fields that a caller must not read, as "Order.total" or as the
// field's ARN. They are null in the response. DeniedFields panics if of is nil.
func DeniedFields(of func(*Grant) []string) AppSyncOption {
	if of == nil {
		panic("authorizer: DeniedFields with a nil function")
	}
	return AppSyncOption{func(o *appSyncOptions) { o.denied = of }}
}

// AppSyncTTL sets how long AppSync stores a grant, instead of the TTL that the API is
// configured with: whole seconds, up to an hour. 0 stores none. AppSyncTTL panics for
// anything else.
func AppSyncTTL(d time.Duration) AppSyncOption {
	if d < 0 || d > maxTTL || d%time.Second != 0 {
		panic("authorizer: AppSyncTTL with a negative time, more than an hour, or a part of a second")
	}
	return AppSyncOption{func(o *appSyncOptions) { o.ttl = &d }}
}

const maxTTL = time.Hour

// AppSync returns an authorizer for an AppSync API. It answers a grant with
// isAuthorized true and the grant as resolverContext, whose values are all strings; a
// denial with isAuthorized false; any other error with the error. It panics if the
// check is nil.
//
// AppSync stores a decision under the token, and the answer says for how long. A grant
// that depends on anything else, such as the operation or a header, is not stored. No
// grant is stored longer than it lasts, and no denial is stored. So no decision is
// refused because of the cache.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization
func AppSync(c Check, opts ...AppSyncOption) lambda.Handler {
	var o appSyncOptions
	for _, opt := range opts {
		opt.set(&o)
	}
	d := newDecider("AppSync", c, nil, reads.AppSync)
	return d.handler(func(_ context.Context, r *Request, g *Grant, err error) (any, *Grant, error) {
		if err != nil {
			return appSyncAnswer{TTLOverride: new(int64)}, nil, err
		}
		answer, err := o.grant(g, len(d.cache.Uncovered(r.in, r.reads)) == 0)
		return answer, g, err
	})
}

type appSyncAnswer struct {
	IsAuthorized    bool            `json:"isAuthorized"`
	ResolverContext json.RawMessage `json:"resolverContext,omitempty"`
	DeniedFields    []string        `json:"deniedFields,omitempty"`
	TTLOverride     *int64          `json:"ttlOverride,omitempty"` // seconds
}

func (o *appSyncOptions) grant(g *Grant, storable bool) (appSyncAnswer, error) {
	values, err := g.encode(reads.AppSync)
	if err != nil {
		return appSyncAnswer{}, err
	}
	answer := appSyncAnswer{IsAuthorized: true, ResolverContext: values}
	if o.denied != nil {
		answer.DeniedFields = slices.Sorted(slices.Values(o.denied(g)))
		if slices.ContainsFunc(answer.DeniedFields, func(name string) bool { return name == "" || checkCharacters(name) != nil }) {
			return appSyncAnswer{}, reason.New("authorizer: DeniedFields has returned a name that is empty, not UTF-8 or has a control character")
		}
	}
	ttl := o.ttl
	if !storable {
		ttl = new(time.Duration)
	}
	if left := max(time.Until(g.Expires.Round(0)), 0); !g.Expires.IsZero() && (ttl == nil || left < *ttl) {
		left = min(left, maxTTL)
		ttl = &left
	}
	if ttl != nil {
		seconds := int64(*ttl / time.Second)
		answer.TTLOverride = &seconds
	}
	return answer, nil
}
