package idempotency

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/content"
)

// takeFingerprint returns a hash of the parts that must be equal in a repeat, or
// "".
func (c *config) takeFingerprint(ctx context.Context, ev *guard.Event) (string, error) {
	if c.fingerprint == nil {
		return content.Hash(ev)
	}
	text, err := c.fingerprint(ctx, ev)
	if err != nil {
		return "", fmt.Errorf("idempotency: fingerprint: %w", err)
	}
	if text == "" {
		return "", nil
	}
	return content.Sum(text), nil
}
