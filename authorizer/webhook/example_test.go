package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A payment is booked once, however often its report is sent, and only if the
// provider has signed it.
func ExampleStandard() {
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // in a function: webhook.Secret(cache, "payments/webhook")
	keys := webhook.KeysFunc(func(context.Context) ([]string, error) { return []string{key}, nil })

	type report struct {
		Invoice string `json:"invoice"`
	}
	book := func(ctx context.Context, in report) (string, error) {
		delivery, _ := webhook.DeliveryFrom(ctx)
		fmt.Println("booked", in.Invoice, "of", delivery.ID)
		return "booked", nil
	}
	receiver := guard.Wrap(httpapi.Func(book),
		httpapi.Problems(),
		webhook.Standard(keys),
		idempotency.Once(idempotency.NewMemoryStore(), webhook.DeliveryID, idempotency.Name("payments")),
	)

	// The provider's side.
	deliver := func(id, invoice, signed string) {
		body, sent := `{"invoice":"`+invoice+`"}`, fmt.Sprint(time.Now().Unix())
		secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, `%s.%s.{"invoice":"%s"}`, id, sent, signed)
		post(receiver, sample.HTTP("POST", "/payments").JSON(body).
			Header("webhook-id", id).
			Header("webhook-timestamp", sent).
			Header("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))))
	}
	deliver("msg_1", "inv-7", "inv-7")
	deliver("msg_1", "inv-7", "inv-7") // sent again
	deliver("msg_2", "inv-8", "inv-7") // edited on the way
	// Output:
	// booked inv-7 of msg_1
	// 200
	// 200, replayed
	// 401 webhook_signature_invalid
}

// Stripe's retries count down how many deliveries are pending, so their bodies
// differ. The id of the event is the key, and has to be all that is compared.
func ExampleStripe() {
	const key = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"
	keys := webhook.KeysFunc(func(context.Context) ([]string, error) { return []string{key}, nil })

	type event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	receiver := guard.Wrap(httpapi.Func(func(_ context.Context, in event) (string, error) {
		fmt.Println(in.Type)
		return "done", nil
	}),
		httpapi.Problems(),
		webhook.Stripe(keys),
		idempotency.Once(idempotency.NewMemoryStore(), webhook.DeliveryID,
			idempotency.Name("stripe"), idempotency.Fingerprint(webhook.DeliveryID)),
	)

	for pending := 2; pending > 0; pending-- {
		body := fmt.Sprintf(`{"id":"evt_1","type":"charge.succeeded","pending_webhooks":%d}`, pending)
		sent := fmt.Sprint(time.Now().Unix())
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "%s.%s", sent, body)
		post(receiver, sample.HTTP("POST", "/stripe").JSON(body).
			Header("Stripe-Signature", "t="+sent+",v1="+hex.EncodeToString(mac.Sum(nil))))
	}
	// Output:
	// charge.succeeded
	// 200
	// 200, replayed
}

// Slack signs its version, the time and the body.
func ExampleHMAC() {
	const key = "8f742231b10e8888abcd99yyyzzz85a5"
	keys := webhook.KeysFunc(func(context.Context) ([]string, error) { return []string{key}, nil })
	receiver := guard.Wrap(httpapi.Func(func(ctx context.Context, _ json.RawMessage) (string, error) {
		_, ok := webhook.DeliveryFrom(ctx)
		fmt.Println("signed:", ok)
		return "done", nil
	}),
		httpapi.Problems(),
		webhook.HMAC(webhook.HMACConfig{
			Signature: "X-Slack-Signature", Prefix: "v0=",
			Timestamp: "X-Slack-Request-Timestamp",
			Content:   "v0:{timestamp}:{body}",
		}, keys),
	)

	const body = `{"type":"app_mention"}`
	for _, sent := range []time.Time{time.Now(), time.Now().Add(-time.Hour)} {
		seconds := fmt.Sprint(sent.Unix())
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "v0:%s:%s", seconds, body)
		post(receiver, sample.HTTP("POST", "/slack").JSON(body).
			Header("X-Slack-Request-Timestamp", seconds).
			Header("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil))))
	}
	// Output:
	// signed: true
	// 200
	// 401 webhook_timestamp_out_of_range
}

// post sends a request to a function and prints the answer.
func post(h lambda.Handler, request sample.HTTPEvent) {
	out, err := h.Invoke(context.Background(), request.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	_ = json.Unmarshal(out, &answer) // made by this function
	var problem struct{ Code string }
	_ = json.Unmarshal([]byte(answer.Body), &problem)
	switch {
	case problem.Code != "":
		fmt.Println(answer.StatusCode, problem.Code)
	case answer.Headers["Idempotent-Replayed"] == "true":
		fmt.Println("200, replayed")
	default:
		fmt.Println(answer.StatusCode)
	}
}
