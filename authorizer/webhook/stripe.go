package webhook

import (
	"crypto/sha256"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Stripe accepts requests that Stripe has signed, in Stripe-Signature: a timestamp,
// and one or more v1 signatures over timestamp and body. Other signatures, such as
// v0 of test events, are ignored. A key is the signing secret of the endpoint,
// whsec_ included; an API key, sk_…, is refused. It returns the errors of
// [Standard].
//
// Stripe repeats an event with the same id and a different body, as
// pending_webhooks counts down. So make the id the fingerprint too, or idempotency
// refuses the repeat as another request with the same key:
//
//	idempotency.Once(store, webhook.DeliveryID,
//		idempotency.Name("stripe"), idempotency.Fingerprint(webhook.DeliveryID))
//
// https://docs.stripe.com/webhooks#verify-manually
func Stripe(keys Keys, opts ...Option) guard.Middleware {
	return scheme{name: "stripe", read: readStripe, parse: parseStripeKey, identify: eventID}.layer(keys, opts)
}

func readStripe(req *request.Request) (claim, error) {
	const header = "Stripe-Signature"
	list := req.Header(header)
	if list == "" {
		return claim{}, missing(header)
	}
	var c claim
	for part := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			if _, ok := parseTime(value); !ok || c.sent != "" {
				return claim{}, malformed(header, "t=<seconds since 1970> once")
			}
			c.sent = value
		case "v1":
			mac := decodeHex(value)
			if len(mac) != sha256.Size {
				return claim{}, malformed(header, "v1=<64 hexadecimal digits>")
			}
			c.macs = append(c.macs, mac)
		}
	}
	if c.sent == "" || c.signatures() == 0 || c.signatures() > maxSignatures {
		return claim{}, malformed(header, "t=<seconds> and 1 to 8 v1=<signature>")
	}
	c.prefix = c.sent + "."
	return c, nil
}

func parseStripeKey(text string) (key, error) {
	if !strings.HasPrefix(text, "whsec_") {
		return key{}, reason.New("it is not a signing secret, whsec_…")
	}
	return oneLine(text)
}

// eventID returns the id of the event in the body, which is signed.
func eventID(ev *guard.Event) (string, error) {
	tree, err := ev.BodyTree()
	if err != nil {
		return "", err
	}
	members, _ := tree.(map[string]any)
	id, _ := members["id"].(string)
	if !isID(id, ",") {
		return "", &guard.Error{
			Kind: guard.Invalid, Code: "webhook_event_without_id",
			Detail:     "The event has no id.",
			Violations: []guard.Violation{{Pointer: "/id", Detail: "must be 1 to 255 printable characters"}},
		}
	}
	return id, nil
}
