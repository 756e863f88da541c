package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Option configures [New].
type Option func(*Source)

// Describer has the method of a [secretsmanager.Client] that [RotationAware]
// needs.
type Describer interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// RotationAware sets the expiry of a value to the secret's NextRotationDate. If
// rotations can be earlier, also use [secrets.Try].
//
// It costs one DescribeSecret for each secret, at the same time as the fetch of
// the value, and the permission secretsmanager:DescribeSecret. If the description
// is refused, so is the value. If Secrets Manager cannot be asked for it, or the
// date is missing or over, the value has its usual TTL.
func RotationAware(client Describer) Option {
	if client == nil {
		panic("awssecrets: RotationAware with a nil Describer")
	}
	return func(s *Source) { s.describer = client }
}

// rotation is the time of a secret's next rotation, or the error of asking for it.
type rotation struct {
	name string
	next time.Time
	err  error
}

// rotations returns, by name, the secrets to describe. A single version never
// changes and needs no description.
func (s *Source) rotations(items []item) map[string]*rotation {
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

// limit sets when the value expires.
func (it *item) limit(r *rotation) {
	switch {
	case r == nil || it.ref.Version != "" || it.value.Err != nil:
	case r.err != nil && (final(r.err) || errors.Is(r.err, context.Canceled)):
		it.fail(fmt.Errorf("next rotation: %w", r.err))
	default:
		it.value.Expires = r.next
	}
}
