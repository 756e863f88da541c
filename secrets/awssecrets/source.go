package awssecrets

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const (
	batchSize = 20 // what BatchGetSecretValue takes
	atOnce    = 8  // requests of one Fetch at a time
)

// Client is what a [Source] needs of a [secretsmanager.Client].
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	BatchGetSecretValue(context.Context, *secretsmanager.BatchGetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error)
}

// Source fetches secrets from AWS Secrets Manager. Make it with [New].
type Source struct {
	client    Client
	describer Describer // nil unless RotationAware
}

var _ secrets.Source = (*Source)(nil)

// New makes a source of the secrets that a client reads. It panics without one.
func New(client Client, opts ...Option) *Source {
	if client == nil {
		panic("awssecrets: a nil Client")
	}
	s := &Source{client: client}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// An item is one secret that is asked for, and what came of it. At any time at
// most one request is under way that writes it.
type item struct {
	ref    secrets.Ref
	value  secrets.Value
	single bool // to be asked for with GetSecretValue
}

// Fetch implements [secrets.Source]. The name of a [secrets.Ref] is that of a
// secret, its ARN, or its ARN without the six characters at the end; its Version
// is a VersionId, its Stage a VersionStage. Secrets Manager gives no value
// encrypted, so that Encrypted is an error.
//
// What fails is in [secrets.Value.Err]; Fetch itself returns no error.
func (s *Source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return fetch.Distinct(refs, func(distinct []secrets.Ref) []secrets.Value { return s.fetch(ctx, distinct) }), nil
}

func (s *Source) fetch(ctx context.Context, refs []secrets.Ref) []secrets.Value {
	items := make([]*item, len(refs))
	var batched, singles []*item
	for i, ref := range refs {
		it := &item{ref: ref}
		items[i] = it
		switch {
		case ref.Name == "":
			it.fail(guard.Reason("no name"))
		case ref.Encrypted:
			it.fail(guard.Reason("a secret cannot be had encrypted"))
		case ref.Version == "" && ref.Stage == "":
			batched = append(batched, it)
		default:
			singles = append(singles, it)
		}
	}

	var requests []func()
	for chunk := range slices.Chunk(batched, batchSize) {
		if len(chunk) == 1 { // cheaper in permissions
			singles = append(singles, chunk[0])
			continue
		}
		requests = append(requests, func() { s.batch(ctx, chunk) })
	}
	for _, it := range singles {
		requests = append(requests, func() { s.get(ctx, it) })
	}
	rotations := s.rotations(items)
	for _, r := range rotations {
		requests = append(requests, func() { s.describe(ctx, r) })
	}
	fetch.Concurrently(atOnce, requests)

	requests = nil
	for _, it := range batched {
		if it.single {
			requests = append(requests, func() { s.get(ctx, it) })
		}
	}
	fetch.Concurrently(atOnce, requests)

	values := make([]secrets.Value, len(items))
	for i, it := range items {
		it.limit(rotations[it.ref.Name])
		values[i] = it.value
	}
	return values
}

// get asks for one secret.
func (s *Source) get(ctx context.Context, it *item) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &it.ref.Name}
	if it.ref.Version != "" {
		in.VersionId = &it.ref.Version
	}
	if it.ref.Stage != "" {
		in.VersionStage = &it.ref.Stage
	}
	out, err := s.client.GetSecretValue(ctx, in)
	if err != nil {
		it.fail(err)
		return
	}
	it.succeed(out.SecretString, out.SecretBinary, out.VersionId)
}

func (it *item) succeed(text *string, binary []byte, version *string) {
	switch {
	case text != nil:
		it.value = secrets.Value{Data: []byte(*text)}
	case binary != nil:
		it.value = secrets.Value{Data: bytes.Clone(binary)}
	default:
		it.fail(guard.Reason("the answer has no value"))
		return
	}
	if version != nil {
		it.value.Version = *version
	}
}

func (it *item) fail(err error) {
	it.value = secrets.Value{Err: explain(fmt.Sprintf("%q", it.ref.Name), err)}
}
