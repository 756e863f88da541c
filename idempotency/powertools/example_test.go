package powertools_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/powertools"
)

// A function in Go takes over from one in Python: handler of app.py, with
// event_key_jmespath="powertools_json(body).[customer, order]" and
// payload_validation_jmespath="powertools_json(body).amount".
func ExampleKeyWithValidation() {
	key := powertools.KeyWithValidation("orders.app.handler",
		"powertools_json(body).[customer, order]", "powertools_json(body).amount")
	store := idempotency.NewMemoryStore() // the table, with dynamo.New and dynamo.CompressFrom(math.MaxInt)
	protect := idempotency.Once(store, key,
		idempotency.TTL(time.Hour),
		idempotency.OnReplay(func(_ context.Context, r idempotency.Record, _ http.Header) {
			fmt.Println("replayed", r.Key)
		}))
	placeOrder := guard.Wrap(answering(`{"placed":true}`), protect)

	event := []byte(`{"body":"{\"customer\":\"Zo\u00eb\",\"order\":9,\"amount\":12.50}"}`)
	for range 2 {
		answer, err := placeOrder.Invoke(context.Background(), event)
		fmt.Println(string(answer), err)
	}
	// Output:
	// {"placed":true} <nil>
	// replayed orders.app.handler#a63a8f4a448fd9756c36cfa47e48d029
	// {"placed":true} <nil>
}

// Python's event_key_jmespath="powertools_json(body).order" of the same handler.
func ExampleKey() {
	key := powertools.Key("orders.app.handler", "powertools_json(body).order")
	for _, event := range []string{`{"body":"{\"order\":\"abc\"}"}`, `{"body":"{}"}`} {
		k, err := key(context.Background(), guard.EventOf(context.Background(), []byte(event)))
		fmt.Println(k, err)
	}
	// Output:
	// orders.app.handler#ebd9f4c7b06cb0aaf5d13d80e49d8b90 <nil>
	//  idempotency_key_missing: The request lacks a part of the idempotency key.: idempotency: no key
}

// A batch consumer whose function of one record Python decorates with
// idempotent_function.
func ExampleKey_operation() {
	charge := idempotency.NewOperation("charge", idempotency.NewMemoryStore(),
		idempotency.KeyFrom(powertools.Key("orders.app.charge", "messageId")))
	type message struct {
		ID   string `json:"messageId"`
		Body string `json:"body"`
	}
	charges := 0
	for _, m := range []message{{ID: "m-1", Body: "{}"}, {ID: "m-2", Body: "{}"}, {ID: "m-1", Body: "{}"}} {
		receipt, err := idempotency.Do(context.Background(), charge, "", m, func(context.Context) (int, error) {
			charges++
			return charges, nil
		})
		fmt.Println(receipt, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 1 <nil>
}
