package awssecrets

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const (
	batchSize = 20 // maximum of BatchGetSecretValue
	atOnce    = 8  // requests of one Fetch at a time
)

// Client has the methods of a [secretsmanager.Client] that a [Source] needs.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	BatchGetSecretValue(context.Context, *secretsmanager.BatchGetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error)
}

// Source fetches secrets from AWS Secrets Manager.
type Source struct {
	client    Client
	describer Describer // nil unless RotationAware
}

var _ secrets.Source = (*Source)(nil)

// New returns a source of the secrets that a client reads. It panics if client is
// nil.
func New(client Client, opts ...Option) *Source {
	if client == nil {
		panic("awssecrets: New of a nil Client")
	}
	s := &Source{client: client}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// item is one secret to fetch. At most one request writes it at a time.
type item struct {
	ref   secrets.Ref
	value secrets.Value
	alone bool // a batch left it to GetSecretValue
}

// Fetch implements [secrets.Source]. [secrets.Ref.Name] is the name of a secret,
// its ARN, or its ARN without the last seven characters. Version is a VersionId,
// Stage a VersionStage. Encrypted is an error. The error of Fetch itself is
// always nil.
func (s *Source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	items := make([]item, len(refs))
	var current []*item
	var requests []func()
	for i, ref := range refs {
		it := &items[i]
		it.ref = ref
		switch {
		case ref.Name == "":
			it.fail(guard.Reason("no name"))
		case ref.Encrypted:
			it.fail(guard.Reason("Secrets Manager returns no encrypted values"))
		case ref.Version == "" && ref.Stage == "":
			current = append(current, it)
		default:
			requests = append(requests, func() { s.get(ctx, it) })
		}
	}
	for chunk := range slices.Chunk(current, batchSize) {
		requests = append(requests, func() { s.getBatch(ctx, chunk) })
	}
	rotations := s.rotations(items)
	for _, r := range rotations {
		requests = append(requests, func() { s.describe(ctx, r) })
	}
	fetch.Concurrently(atOnce, requests)

	requests = nil
	for _, it := range current {
		if it.alone {
			requests = append(requests, func() { s.get(ctx, it) })
		}
	}
	fetch.Concurrently(atOnce, requests)

	values := make([]secrets.Value, len(items))
	for i := range items {
		items[i].limit(rotations[items[i].ref.Name])
		values[i] = items[i].value
	}
	return values, nil
}

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
		it.value = secrets.Value{Data: []byte(*text), Version: deref(version)}
	case binary != nil:
		it.value = secrets.Value{Data: bytes.Clone(binary), Version: deref(version)}
	default:
		it.fail(guard.Reason("the answer has no value"))
	}
}

func (it *item) fail(err error) {
	it.value = secrets.Value{Err: awserror.Codes(meaningOf).Explain(fmt.Sprintf("awssecrets: %q", it.ref.Name), err)}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// final reports whether Secrets Manager has answered with the error.
func final(err error) bool { return awserror.Codes(meaningOf).Final(err) }

// meaningOf covers the errors of GetSecretValue:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func meaningOf(code string) error {
	switch code {
	case "ResourceNotFoundException",
		"InvalidRequestException": // marked for deletion, or the version does not have the stage
		return secrets.ErrNotFound
	case "DecryptionFailure":
		return secrets.ErrUndecryptable
	}
	return nil
}
