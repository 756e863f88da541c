package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
)

// svix is the published delivery under the names that Svix has for its headers.
func svix(headers ...string) delivery {
	d := standard(headers...)
	for i := 0; i < len(d.headers); i += 2 {
		d.headers[i] = strings.Replace(d.headers[i], "webhook-", "svix-", 1)
	}
	return d
}

// both is a request with the headers of two.
func both(a, b delivery) delivery {
	a.headers = slices.Concat(a.headers, b.headers)
	return a
}

func TestHeadersOfSvixAreThoseOfStandardWebhooks(t *testing.T) {
	layer := webhook.Standard(fixed(standardKey), at(standardTime))
	for _, tt := range []struct {
		name string
		delivery
		code   string // "" where it is let through
		detail string // that is in the refusal
	}{
		{name: "Svix's names", delivery: svix()},
		{name: "in another case", delivery: delivery{body: standardBody, headers: []string{"Svix-Id", standardID, "SVIX-TIMESTAMP", strconv.Itoa(standardTime), "svix-Signature", standardSign}}},
		{name: "no id", delivery: svix("webhook-id", ""), code: "webhook_signature_missing", detail: "svix-id"},
		{name: "no timestamp", delivery: svix("webhook-timestamp", ""), code: "webhook_signature_missing", detail: "svix-timestamp"},
		{name: "no signature", delivery: svix("webhook-signature", ""), code: "webhook_signature_missing", detail: "svix-signature"},
		{name: "a malformed one", delivery: svix("webhook-signature", "v1,abc"), code: "webhook_signature_malformed", detail: "svix-signature"},
		{name: "an edited id", delivery: svix("webhook-id", "msg_other"), code: "webhook_signature_invalid"},
		{name: "neither", delivery: delivery{body: standardBody}, code: "webhook_signature_missing", detail: "webhook-id"},

		// One of Standard Webhooks decides for all of them.
		{name: "both, the same", delivery: both(standard(), svix())},
		{name: "both, Svix's edited", delivery: both(standard(), svix("webhook-id", "msg_other", "webhook-timestamp", "1"))},
		{name: "both, the others edited", delivery: both(standard("webhook-id", "msg_other"), svix()), code: "webhook_signature_invalid"},
		{name: "an id of the others", delivery: both(delivery{body: standardBody, headers: []string{"webhook-id", standardID}}, svix()), code: "webhook_signature_missing", detail: "webhook-timestamp"},
		{name: "a timestamp of the others", delivery: both(delivery{body: standardBody, headers: []string{"webhook-timestamp", strconv.Itoa(standardTime)}}, svix()), code: "webhook_signature_missing", detail: "webhook-id"},
		{name: "a signature of the others", delivery: both(delivery{body: standardBody, headers: []string{"webhook-signature", standardSign}}, svix()), code: "webhook_signature_missing", detail: "webhook-id"},
		{name: "a mix of both", delivery: both(standard("webhook-signature", ""), svix("webhook-id", "", "webhook-timestamp", "")), code: "webhook_signature_missing", detail: "webhook-signature"},
	} {
		got, err := receive(layer, tt.delivery)
		if tt.code == "" {
			if err != nil || !got.called || got.ID != standardID || got.key != standardID || got.Sent.Unix() != standardTime {
				t.Errorf("%s: got %+v, %v; want %s", tt.name, got, err, standardID)
			}
			continue
		}
		if e := guard.Public(err); got.called || e.Kind != guard.Unauthenticated || e.Code != tt.code || !strings.Contains(e.Detail, tt.detail) {
			t.Errorf("%s: called %v, got %v; want %s with %q", tt.name, got.called, err, tt.code, tt.detail)
		}
	}
}

func TestKeysOfStandardWebhooksAsTheirSendersWriteThem(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	private := ed25519.NewKeyFromSeed(seed)
	encode := base64.StdEncoding.EncodeToString
	public := encode(private.Public().(ed25519.PublicKey))
	signed := "v1a," + encode(ed25519.Sign(private, []byte(standardID+"."+strconv.Itoa(standardTime)+"."+standardBody)))
	of25 := func(key []byte) string {
		return "v1," + encode(mac256(string(key), standardID+"."+strconv.Itoa(standardTime)+"."+standardBody))
	}
	odd := []byte("25 bytes, so with padding")

	for _, tt := range []struct {
		name, key, signature string
		refused              string // the code, "" where it is let through
	}{
		{name: "with its prefix", key: standardKey, signature: standardSign},
		{name: "without it", key: strings.TrimPrefix(standardKey, "whsec_"), signature: standardSign},
		{name: "with padding", key: "whsec_" + encode(odd), signature: of25(odd)},
		{name: "with padding, without the prefix", key: encode(odd), signature: of25(odd)},
		{name: "without padding", key: "whsec_" + strings.TrimRight(encode(odd), "="), signature: of25(odd)},
		{name: "without either", key: strings.TrimRight(encode(odd), "="), signature: of25(odd)},
		{name: "a public key", key: "whpk_" + public, signature: signed},
		{name: "a public key without padding", key: "whpk_" + strings.TrimRight(public, "="), signature: signed},
		{name: "a seed without padding", key: "whsk_" + strings.TrimRight(encode(seed), "="), signature: signed},
		{name: "a public key without its prefix is a secret", key: public, signature: signed, refused: "webhook_signature_invalid"},
		{name: "an empty prefix", key: "_" + strings.TrimPrefix(standardKey, "whsec_"), signature: standardSign, refused: "webhook_key_malformed"},
		{name: "the prefix twice", key: "whsec_" + standardKey, signature: standardSign, refused: "webhook_key_malformed"},
		{name: "half of the padding", key: encode(slices.Concat(odd, odd[:24]))[:67], signature: standardSign, refused: "webhook_key_malformed"},
		{name: "bits left over", key: strings.TrimRight(encode(odd), "=")[:33] + "x", signature: of25(odd), refused: "webhook_key_malformed"},
		{name: "a line break", key: standardKey + "\n", signature: standardSign, refused: "webhook_key_malformed"},
		{name: "the alphabet of URLs", key: "whsec_" + strings.Repeat("-", 32), signature: standardSign, refused: "webhook_key_malformed"},
		{name: "too short, without a prefix", key: encode(odd[:23]), signature: standardSign, refused: "webhook_key_malformed"},
		{name: "nothing", key: "", signature: standardSign, refused: "webhook_key_malformed"},
	} {
		got, err := receive(webhook.Standard(fixed(tt.key), at(standardTime)), standard("webhook-signature", tt.signature))
		if code := guard.Public(err).Code; got.called != (tt.refused == "") || err != nil && code != tt.refused {
			t.Errorf("%s: called %v, got %v; want %q", tt.name, got.called, err, tt.refused)
		}
		if err != nil && tt.key != "" && strings.Contains(err.Error(), strings.TrimPrefix(tt.key, "whsec_")) {
			t.Errorf("%s: the error shows the key: %v", tt.name, err)
		}
	}
}
