package webhook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// Gateways spell headers and carry bodies each in their own way: what was signed
// is found again behind all of them.
func TestADeliveryIsTheSameBehindEveryGateway(t *testing.T) {
	const header = "X-Hub-Signature-256"
	for where, through := range map[string]func(sample.HTTPEvent) sample.HTTPEvent{
		"HTTP API":             func(b sample.HTTPEvent) sample.HTTPEvent { return b },
		"HTTP API, format 1.0": sample.HTTPEvent.Format1,
		"function URL":         sample.HTTPEvent.FunctionURL,
		"REST API":             sample.HTTPEvent.REST,
		"HTTP API, in base64":  sample.HTTPEvent.Base64,
		"REST API, in base64":  func(b sample.HTTPEvent) sample.HTTPEvent { return b.REST().Base64() },
	} {
		for what, body := range map[string]string{
			"JSON": `{"zen":"Keep it logically awesome.","hook_id":1}`, "a form": "payload=%7B%22zen%22%3A%22%22%7D",
			"bytes": "\x00\xff\xfe\r\n", "characters beyond ASCII": "{\"a\":\"Zoë 😀\u2028\"}", "nothing": "",
		} {
			for _, spelling := range []string{header, "x-hub-signature-256", "X-HUB-SIGNATURE-256"} {
				t.Run(where+"/"+what+"/"+spelling, func(t *testing.T) {
					contentType := "application/json"
					if what == "bytes" {
						contentType = "application/octet-stream"
					}
					event := through(sample.HTTP("POST", "/hooks").Body(contentType, []byte(body))).
						Header(header, "sha256="+hex.EncodeToString(mac256(githubKey, body))).Bytes()
					event = bytes.ReplaceAll(event, []byte(strings.ToLower(header)), []byte(spelling))
					event = bytes.ReplaceAll(event, []byte(header), []byte(spelling))
					called := false
					h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
						called = true
						id, err := webhook.DeliveryID(ctx, nil)
						if sum := sha256.Sum256([]byte(body)); err != nil || id != hex.EncodeToString(sum[:]) {
							t.Errorf("got the id %s, %v; want the body's digest", id, err)
						}
						return nil, nil
					}), webhook.GitHub(fixed(githubKey)))
					if _, err := h.Invoke(t.Context(), event); err != nil || !called {
						t.Errorf("called %v, %v\n%s", called, err, event)
					}
				})
			}
		}
	}
}

// A layer in between may hand on another event, which nobody has signed.
func TestDeliveryIDIsOfWhatWasVerified(t *testing.T) {
	var got, want string
	edit := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			want, _ = webhook.DeliveryID(ctx, guard.EventOf(ctx, payload))
			return next.Invoke(ctx, sample.HTTP("POST", "/hooks").JSON(`{"id":"edited"}`).Bytes())
		})
	}
	for name, layer := range map[string]guard.Middleware{
		"github": webhook.GitHub(fixed(stripeKey)), "stripe": webhook.Stripe(fixed(stripeKey), at(stripeTime)),
	} {
		got, want = "", ""
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) (_ []byte, err error) {
			got, err = webhook.DeliveryID(ctx, guard.EventOf(ctx, payload))
			return nil, err
		}), layer, edit)
		_, err := h.Invoke(t.Context(), delivery{body: stripeBody, headers: []string{
			"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(stripeKey, stripeBody)),
			"Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, stripeBody)),
		}}.event())
		if err != nil || got == "" || got != want {
			t.Errorf("%s: %q of the edited event, %q of the verified one, %v", name, got, want, err)
		}
	}
}

// What GitHub does not sign does not make a delivery another one, or the same.
func TestADeliveryOfGitHubIsItsBody(t *testing.T) {
	runs := 0
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		runs++
		return fmt.Appendf(nil, `{"statusCode":200,"body":"run %d"}`, runs), nil
	}), httpapi.Problems(), webhook.GitHub(fixed(githubKey)), idempotency.Once(idempotency.NewMemoryStore(), webhook.DeliveryID))
	for _, d := range []struct{ id, body, want string }{
		{id: "d-1", body: `{"zen":"Design for failure.","hook_id":1}`, want: "run 1"},
		{id: "d-1", body: `{"zen":"Design for failure.","hook_id":1}`, want: "run 1"}, // redelivered from the console
		{id: "d-2", body: `{"zen":"Design for failure.","hook_id":1}`, want: "run 1"}, // with an id of somebody's choice
		{id: "d-1", body: `{"zen":"Design for failure.","hook_id":2}`, want: "run 2"},
		{body: `{"zen":"Design for failure.","hook_id":2}`, want: "run 2"},
	} {
		out, err := h.Invoke(t.Context(), delivery{body: d.body, headers: []string{
			"X-GitHub-Event", "ping", "X-GitHub-Delivery", d.id,
			"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(githubKey, d.body)),
		}}.event())
		var answer struct{ Body string }
		if err == nil {
			err = json.Unmarshal(out, &answer)
		}
		if err != nil || answer.Body != d.want {
			t.Errorf("%+v: %s, %v", d, out, err)
		}
	}
}

// Neither method nor path nor query is signed: who has seen a delivery can send
// it to another one. With a name for the operation it still takes effect once,
// also where the gateway has no route for it.
func TestADeliveryTakesEffectOnceWhereverItIsSent(t *testing.T) {
	for where, through := range map[string]func(sample.HTTPEvent) sample.HTTPEvent{
		"HTTP API":                 func(b sample.HTTPEvent) sample.HTTPEvent { return b },
		"HTTP API, route $default": func(b sample.HTTPEvent) sample.HTTPEvent { return b.Route("$default") },
		"function URL":             sample.HTTPEvent.FunctionURL,
		"REST API":                 sample.HTTPEvent.REST,
	} {
		for what, opts := range map[string][]idempotency.Option{
			"as it is":        {idempotency.Name("hooks")},
			"by the id alone": {idempotency.Name("hooks"), idempotency.Fingerprint(webhook.DeliveryID)},
		} {
			runs := 0
			h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
				runs++
				return []byte(`{"statusCode":200}`), nil
			}), httpapi.Problems(), webhook.GitHub(fixed(githubKey)), idempotency.Once(idempotency.NewMemoryStore(), webhook.DeliveryID, opts...))
			for _, to := range [][2]string{{"POST", "/hooks"}, {"POST", "/hooks"}, {"PUT", "/hooks"}, {"POST", "/hooks/"}, {"POST", "/%68ooks"}, {"POST", "/"}} {
				event := through(sample.HTTP(to[0], to[1]).Query("x", "1").Body("text/plain", []byte(githubBody))).
					Header("X-Hub-Signature-256", githubSign).Bytes()
				if _, err := h.Invoke(t.Context(), event); err != nil || runs != 1 {
					t.Errorf("%s, %s: got %d runs after %s, %v; want one", where, what, runs, to, err)
				}
			}
		}
	}
}
