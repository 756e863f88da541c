package webhook_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

func TestRefusedSignaturesAreCountedAsDenials(t *testing.T) {
	signature := fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, stripeBody))
	noKeys := func(context.Context) ([]string, error) { return nil, guard.Reason("no keys") }
	for _, tc := range []struct {
		what     string
		layer    guard.Middleware
		delivery delivery
		want     int
	}{
		{what: "signed", layer: webhook.Stripe(fixed(stripeKey), at(stripeTime)), delivery: stripe(stripeBody, signature)},
		{what: "not signed", layer: webhook.Stripe(fixed(stripeKey), at(stripeTime)), delivery: delivery{body: stripeBody}, want: 1},
		{what: "another body", layer: webhook.Stripe(fixed(stripeKey), at(stripeTime)), delivery: stripe("{}", signature), want: 1},
		{what: "no keys", layer: webhook.Stripe(webhook.KeysFunc(noKeys), at(stripeTime)), delivery: stripe(stripeBody, signature)},
	} {
		var counts map[string]int
		h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }), tc.layer)
		_, err := counttest.Handler(h, &counts).Invoke(t.Context(), tc.delivery.event())
		if got := counts[layer.Denials]; got != tc.want {
			t.Errorf("%s: got %d denials beside %v, want %d", tc.what, got, err, tc.want)
		}
	}
}
