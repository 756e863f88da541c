package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Delivery is what the sender has signed besides the body.
type Delivery struct {
	// ID identifies the delivery, and stays the same when it is sent again. It is
	// empty if the scheme signs no id; see [DeliveryID].
	ID string
	// Sent is when the delivery was signed. It is zero if the scheme signs no time.
	Sent time.Time
}

// delivery is a verified delivery with its event.
type delivery struct {
	Delivery
	event    *guard.Event
	identify func(ev *guard.Event) (string, error)
}

type deliveryKey struct{}

// DeliveryFrom returns the verified delivery. It reports false outside a handler
// behind one of the schemes.
func DeliveryFrom(ctx context.Context) (Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	if !ok {
		return Delivery{}, false
	}
	return d.Delivery, true
}

// DeliveryID returns an id of the verified delivery, as the key of
// idempotency.Once. It is the id that Standard Webhooks signs, the id of a Stripe
// event, and otherwise the SHA-256 of the body. An id in an unsigned header, such as
// X-GitHub-Delivery, can be changed, and is not used. Set idempotency.Name, so that
// a copy that is sent to another path is found too. Without a verified delivery it
// returns an error.
//
// The event is ignored: a handler may call DeliveryID(ctx, nil).
func DeliveryID(ctx context.Context, _ *guard.Event) (string, error) {
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	if !ok {
		return "", &guard.Error{Kind: guard.Internal, Code: "webhook_not_verified"}
	}
	if d.ID != "" {
		return d.ID, nil
	}
	return d.identify(d.event)
}

// bodyDigest identifies a delivery by its body.
func bodyDigest(ev *guard.Event) (string, error) {
	body, err := ev.Body()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}
