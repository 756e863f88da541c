package idempotency_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
)

func ExampleOnce() {
	orders := 0
	placeOrder := func(_ context.Context, in struct{ SKU string }) (string, error) {
		orders++
		return fmt.Sprintf("order %d of %s", orders, in.SKU), nil
	}
	h := guard.Wrap(httpapi.Func(placeOrder),
		httpapi.Problems(),
		idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")),
	)

	post := func(key, body string) {
		event := fmt.Sprintf(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders",`+
			`"headers":{"content-type":"application/json","idempotency-key":%q},`+
			`"requestContext":{"http":{"method":"POST"}},"body":%q}`, key, body)
		out, _ := h.Invoke(context.Background(), []byte(event))
		fmt.Println(string(out))
	}
	post("a1", `{"SKU":"KB-101"}`)
	post("a1", `{"SKU":"KB-101"}`)
	post("a1", `{"SKU":"MS-204"}`)
	// Output:
	// {"statusCode":200,"headers":{"content-type":"application/json"},"body":"\"order 1 of KB-101\"","isBase64Encoded":false}
	// {"statusCode":200,"headers":{"content-type":"application/json","Idempotent-Replayed":"true"},"body":"\"order 1 of KB-101\"","isBase64Encoded":false}
	// {"statusCode":422,"headers":{"content-type":"application/problem+json"},"body":"{\"type\":\"about:blank\",\"title\":\"Unprocessable request\",\"status\":422,\"detail\":\"The idempotency key was used before, with another request.\",\"code\":\"idempotency_key_reused\"}","isBase64Encoded":false}
}

func ExampleDo() {
	type message struct{ ID, Order string }
	charge := idempotency.NewOperation("charge", idempotency.NewMemoryStore())

	charges := 0
	handle := func(ctx context.Context, m message) error {
		receipt, err := idempotency.Do(ctx, charge, m.ID, m, func(context.Context) (string, error) {
			charges++
			return fmt.Sprintf("receipt %d for %s", charges, m.Order), nil
		})
		fmt.Println(receipt)
		return err
	}
	// The queue delivers the first message twice.
	for _, m := range []message{{ID: "m1", Order: "order 17"}, {ID: "m2", Order: "order 18"}, {ID: "m1", Order: "order 17"}} {
		if err := handle(context.Background(), m); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// receipt 1 for order 17
	// receipt 2 for order 18
	// receipt 1 for order 17
}

// The bank takes the money and does not answer. The handler says that it does not
// know, and the next try asks the bank instead of paying again.
func ExampleReconcile() {
	payments := map[string]string{} // at the bank, by the number of the order

	pay := idempotency.NewOperation("pay", idempotency.NewMemoryStore(),
		idempotency.Lease(time.Millisecond), // for the example, where no invocation has a deadline
		idempotency.Wait(time.Second),
		idempotency.Reconcile(func(_ context.Context, u idempotency.Unfinished) (string, bool, error) {
			receipt, paid := payments[u.Key]
			return receipt, paid, nil
		}))
	for range 2 {
		receipt, err := idempotency.Do(context.Background(), pay, "order-17", nil, func(context.Context) (string, error) {
			payments["order-17"] = "paid at 12:00"
			return "", fmt.Errorf("the bank did not answer: %w", idempotency.ErrOutcomeUnknown)
		})
		fmt.Printf("%q, %v\n", receipt, err)
	}
	// Output:
	// "", the bank did not answer: idempotency: the outcome is unknown
	// "paid at 12:00", <nil>
}

func ExampleKeyFrom() {
	type charge struct {
		Customer string `json:"customer"`
		Order    int    `json:"order"`
	}
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore(),
		idempotency.KeyFrom(jmespath.Key("[customer, order]")))

	charges := 0
	for _, c := range []charge{{Customer: "c-42", Order: 17}, {Customer: "c-42", Order: 18}, {Customer: "c-42", Order: 17}} {
		receipt, err := idempotency.Do(context.Background(), op, "", c, func(context.Context) (string, error) {
			charges++
			return fmt.Sprintf("receipt %d for order %d", charges, c.Order), nil
		})
		fmt.Println(receipt, err)
	}
	// Output:
	// receipt 1 for order 17 <nil>
	// receipt 2 for order 18 <nil>
	// receipt 1 for order 17 <nil>
}

// Each message is handled once, however often the queue delivers it.
func ExampleRecords() {
	booking := idempotency.NewOperation("book", idempotency.NewMemoryStore())
	once := idempotency.Records(booking, func(m events.SQSMessage) (key string, input any) { return m.MessageId, nil })
	book := once(func(_ context.Context, m events.SQSMessage) error {
		fmt.Println("booked", m.Body)
		return nil
	})
	for range 2 {
		fmt.Println(book(context.Background(), events.SQSMessage{MessageId: "m-1", Body: "order 7"}))
	}
	// Output:
	// booked order 7
	// <nil>
	// <nil>
}
