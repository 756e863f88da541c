package idempotency_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A function in Go takes over from one in Python: handler of app.py, with
// event_key_jmespath="powertools_json(body).[customer, order]" and
// payload_validation_jmespath="powertools_json(body).amount".
func ExamplePowertoolsKey() {
	key := idempotency.PowertoolsKey("orders.app.handler", "powertools_json(body).[customer, order]")
	store := idempotency.NewMemoryStore() // the table, with dynamo.New and dynamo.CompressFrom(math.MaxInt)
	protect := idempotency.Once(store, key,
		idempotency.PowertoolsValidation("powertools_json(body).amount"),
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
