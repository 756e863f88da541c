package idempotency

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/content"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
)

// KeyFunc returns the key of an event. Requests with the same key are repeats. If
// there is no key, or only a part of it, the error wraps [ErrNoKey]; "" counts as
// no key. The key need not identify the sender or the operation, see [Scope] and
// [Name].
type KeyFunc func(ctx context.Context, ev *guard.Event) (string, error)

// Payload makes the content of the event the key, as [Fingerprint] describes it.
// Two equal requests of one caller within the [TTL] are then one, and so are two
// equal messages, also of different senders. For a DynamoDB stream the whole event is
// the key, since a row can change the same way twice. A request without content
// has no key, and an event of a schedule has none.
func Payload() KeyFunc {
	return func(_ context.Context, ev *guard.Event) (string, error) {
		empty, err := content.IsEmpty(ev)
		switch {
		case err != nil:
			return "", err
		case empty:
			return "", keys.Missing("The request has no content that could be its key.")
		case ev.Trigger() == guard.DynamoDB:
			return content.Sum("event", content.Canonical(ev.Raw())), nil
		default:
			return content.Hash(ev)
		}
	}
}
