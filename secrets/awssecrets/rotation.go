package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Option changes a [Source].
type Option func(*Source)

// Describer is what [RotationAware] needs of a [secretsmanager.Client].
type Describer interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// RotationAware lets no value outlive the secret's NextRotationDate, by which it
// is replaced at the latest. A rotation may come earlier: [secrets.Try] meets it.
//
// It costs one DescribeSecret for every secret that is fetched, at the same time
// as the value, and the permission secretsmanager:DescribeSecret. A secret whose
// description is refused is refused. While Secrets Manager cannot be asked for a
// description, the value has its usual TTL, as it has when there is no such date
// or it is over: a rotation that failed is repeated, nobody knows when.
func RotationAware(client Describer) Option {
	if client == nil {
		panic("awssecrets: RotationAware with a nil Describer")
	}
	return func(s *Source) { s.describer = client }
}

// A rotation is when a secret is rotated next, and why that is not known.
type rotation struct {
	name string
	next time.Time
	err  error
}

// rotations gives, by name, what is to be described: not a secret of which one
// version is asked for, for it stays what it is.
func (s *Source) rotations(items []*item) map[string]*rotation {
	if s.describer == nil {
		return nil
	}
	out := make(map[string]*rotation)
	for _, it := range items {
		if name := it.ref.Name; it.ref.Version == "" && it.value.Err == nil {
			out[name] = &rotation{name: name}
		}
	}
	return out
}

func (s *Source) describe(ctx context.Context, r *rotation) {
	out, err := s.describer.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &r.name})
	switch {
	case err != nil:
		r.err = err
	case out.NextRotationDate != nil:
		r.next = *out.NextRotationDate
	}
}

// limit sets when a value is known to be replaced.
func (it *item) limit(r *rotation) {
	switch {
	case r == nil || it.ref.Version != "" || it.value.Err != nil:
	case r.err != nil && (final(r.err) || errors.Is(r.err, context.Canceled)):
		it.fail(fmt.Errorf("next rotation: %w", r.err))
	default:
		it.value.Expires = r.next
	}
}
