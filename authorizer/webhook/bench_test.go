package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// The HMAC alone, the event read without a signature being asked for, and what
// the layers make of both together.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		body := `{"id":"evt_1","data":"` + strings.Repeat("d", size-24) + `"}`
		mac := hex.EncodeToString(mac256(githubKey, body))
		event := sample.HTTP("POST", "/hooks").Body("application/octet-stream", []byte(body)).
			Header("X-Hub-Signature-256", "sha256="+mac).
			Header("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, body))).
			Header("X-Sign", mac).Bytes()
		handler := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			_, err := guard.EventOf(ctx, payload).Body()
			return nil, err
		})
		b.Run(fmt.Sprintf("size=%d/bare", size), func(b *testing.B) {
			content, want := []byte(body), mac256(githubKey, body)
			b.ReportAllocs()
			for b.Loop() {
				m := hmac.New(sha256.New, []byte(githubKey))
				m.Write(content)
				if !hmac.Equal(m.Sum(nil), want) {
					b.Fatal("not equal")
				}
			}
		})
		for name, layer := range map[string]guard.Middleware{
			"event":   nil, // no layer
			"github":  webhook.GitHub(fixed(githubKey)),
			"stripe":  webhook.Stripe(fixed(stripeKey), at(stripeTime)),
			"hmac":    webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign"}, fixed(githubKey)),
			"rotated": webhook.GitHub(fixed("another", githubKey)),
		} {
			b.Run(fmt.Sprintf("size=%d/%s", size, name), func(b *testing.B) {
				h := guard.Wrap(handler, layer)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := h.Invoke(b.Context(), event); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
