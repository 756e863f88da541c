package webhook_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Whatever a request says, nothing but what was signed is let through, and
// nothing panics.
func FuzzSchemes(f *testing.F) {
	sent := strconv.Itoa(standardTime)
	f.Add(standardID, sent, standardSign, standardBody)
	f.Add(standardID, sent, "v1a,AA== v1,AA==", standardBody)
	f.Add("a.b", "1", "t=1,v1=00", "{}")
	f.Add("", "-1", githubSign, githubBody)
	f.Add(standardID, strconv.Itoa(stripeTime), fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, stripeBody)), stripeBody)
	f.Fuzz(func(t *testing.T, id, sent, signature, body string) {
		d := delivery{body: body}
		for name, value := range map[string]string{
			"webhook-id": id, "webhook-timestamp": sent, "webhook-signature": signature,
			"Stripe-Signature": signature, "X-Hub-Signature-256": signature,
			"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": sent,
		} {
			if value != "" {
				d.headers = append(d.headers, name, value)
			}
		}
		for name, c := range map[string]struct {
			layer  guard.Middleware
			signed bool
		}{
			"standard": {
				layer:  webhook.Standard(fixed(standardKey), at(standardTime)),
				signed: id == standardID && body == standardBody,
			},
			"github": {layer: webhook.GitHub(fixed(githubKey)), signed: body == githubBody},
			"slack":  {layer: webhook.HMAC(slack, fixed(slackKey), at(slackTime)), signed: body == slackBody},
			"stripe": {layer: webhook.Stripe(fixed(stripeKey), at(stripeTime)), signed: body == stripeBody},
		} {
			if got, err := receive(c.layer, d); got.called && !c.signed || !got.called && err == nil {
				t.Errorf("%s: called %v, %v", name, got.called, err)
			}
		}
	})
}
