package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Delivery is what the sender has signed about a request, besides its body.
type Delivery struct {
	// ID tells a delivery from others, and stays when it is sent again. It is
	// empty where the scheme signs none, for which see [DeliveryID].
	ID string
	// Sent is when it was signed; zero where the scheme does not tell.
	Sent time.Time
}

type delivery struct {
	Delivery
	event    *guard.Event // as it was verified
	identify func(ev *guard.Event) (string, error)
}

type deliveryKey struct{}

// From gives the delivery that a handler behind one of the schemes has been
// called for. It is false anywhere else.
func From(ctx context.Context) (Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	if !ok {
		return Delivery{}, false
	}
	return d.Delivery, true
}

// DeliveryID gives what tells a verified delivery from others, in the form that
// idempotency.Once takes for its key: a delivery that is sent again, by its
// sender or by whoever has seen it, then takes effect once, to whatever path it
// is sent if the operation has an idempotency.Name. It is the signed id
// of Standard Webhooks, the id of Stripe's event, and elsewhere the SHA-256 of
// the body: an id in a header that is not signed, like X-GitHub-Delivery, could
// be changed. Where nothing was verified it is an error.
//
// It is always the event that was verified which is looked at, so that a handler
// can ask as well: DeliveryID(ctx, nil).
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

// bodyDigest identifies a delivery by all of it that is signed.
func bodyDigest(ev *guard.Event) (string, error) {
	body, err := ev.Body()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}
