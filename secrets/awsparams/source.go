package awsparams

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const (
	batchSize = 10 // what GetParameters takes
	atOnce    = 4  // requests of one Fetch at a time; an account has 40 a second
)

// Client is what a [Source] needs of an [ssm.Client]. GetParametersByPath is
// called only for a name that ends with a slash.
type Client interface {
	GetParameters(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)
}

// Source fetches parameters from the Parameter Store of AWS Systems Manager.
// Make it with [New].
type Source struct{ client Client }

var _ secrets.Source = (*Source)(nil)

// New makes a source of the parameters that a client reads. It panics without
// one.
func New(client Client) *Source {
	if client == nil {
		panic("awsparams: a nil Client")
	}
	return &Source{client: client}
}

// An item is one name that is asked for, and what came of it. At any time at
// most one request is under way that writes it.
type item struct {
	ref    secrets.Ref
	id     identity
	value  secrets.Value
	single bool // to be asked for by itself
}

// Fetch implements [secrets.Source]. The name of a [secrets.Ref] is that of a
// parameter, its ARN, /aws/reference/secretsmanager/ and the name of a secret, or
// a path with a slash at its end: the value of that is a JSON object of all the
// parameters below it. Its Version is a parameter's number or a secret's
// VersionId, its Stage a label or a secret's VersionStage; a name may have either
// after a colon instead. Encrypted leaves a SecureString encrypted.
//
// What fails is in [secrets.Value.Err]; Fetch itself returns no error.
func (s *Source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return fetch.Distinct(refs, func(distinct []secrets.Ref) []secrets.Value { return s.fetch(ctx, distinct) }), nil
}

func (s *Source) fetch(ctx context.Context, refs []secrets.Ref) []secrets.Value {
	items := make([]*item, len(refs))
	var named []*item
	var requests []func()
	for i, ref := range refs {
		id, err := identify(ref)
		it := &item{ref: ref, id: id}
		items[i] = it
		switch {
		case err != nil:
			it.fail(err)
		case id.path:
			requests = append(requests, func() { s.sweep(ctx, it) })
		default:
			named = append(named, it)
		}
	}
	for _, c := range plan(named) {
		requests = append(requests, func() { s.get(ctx, c.items) })
	}
	fetch.Concurrently(atOnce, requests)

	requests = nil
	for _, it := range named {
		if it.single {
			requests = append(requests, func() { s.get(ctx, []*item{it}) })
		}
	}
	fetch.Concurrently(atOnce, requests)

	values := make([]secrets.Value, len(items))
	for i, it := range items {
		values[i] = it.value
	}
	return values
}

func (it *item) fail(err error) {
	it.value = secrets.Value{Err: explain(fmt.Sprintf("%q", it.id), err)}
}
