package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Stripe lets requests through that Stripe has signed, in Stripe-Signature: a
// timestamp and one or more signatures v1 of timestamp and body. Other schemes
// beside v1, like v0 of test events, are not looked at. A key is the endpoint's
// signing secret as the console shows it, whsec_ included; an API key, sk_…, is
// none. Refusals are those of [Standard].
//
// A retry has the same id and not quite the same body, as pending_webhooks counts
// down. By itself idempotency takes that for another request under the same key
// and refuses it, so the id has to be all that is compared:
//
//	idempotency.Once(store, webhook.DeliveryID,
//		idempotency.Name("stripe"), idempotency.Fingerprint(webhook.DeliveryID))
//
// https://docs.stripe.com/webhooks#verify-manually
func Stripe(keys Keys, opts ...Option) guard.Middleware {
	return require(scheme{name: "stripe", read: readStripe, parse: parseStripeKey, identify: eventID}, keys, opts)
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
				return claim{}, malformed(header, "with t=<seconds since 1970> once")
			}
			c.sent = value
		case "v1":
			mac, err := hex.DecodeString(value)
			if err != nil || len(mac) != sha256.Size {
				return claim{}, malformed(header, "with v1=<64 hexadecimal digits>")
			}
			c.signatures.macs = append(c.signatures.macs, mac)
		}
	}
	switch {
	case c.sent == "" || c.signatures.count() == 0:
		return claim{}, malformed(header, "t=<seconds> and one or more v1=<signature>")
	case c.signatures.count() > maxSignatures:
		return claim{}, malformed(header, "at most 8 signatures")
	}
	c.prefix = c.sent + "."
	return c, nil
}

func parseStripeKey(text string) (key, error) {
	if !strings.HasPrefix(text, "whsec_") {
		return key{}, reason.New("not a signing secret, whsec_…")
	}
	return parseLine(text)
}

// eventID is the id of the event in the body, which is signed.
func eventID(ev *guard.Event) (string, error) {
	tree, err := ev.BodyTree()
	if err != nil {
		return "", err
	}
	members, _ := tree.(map[string]any)
	id, _ := members["id"].(string)
	if !validID(id, ",") {
		return "", &guard.Error{
			Kind: guard.Invalid, Code: "webhook_event_without_id",
			Detail:     "The event has no id.",
			Violations: []guard.Violation{{Pointer: "/id", Detail: "must be 1 to 255 printable characters"}},
		}
	}
	return id, nil
}
