package valkey_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	valkeygo "github.com/valkey-io/valkey-go"
)

// A payment for each invoice, however often the invoice comes.
func Example() {
	client, err := valkeygo.NewClient(valkeygo.ClientOption{
		InitAddress:      []string{"records.internal:6379"},
		ConnWriteTimeout: time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	pay := idempotency.NewOperation("pay", valkey.New(client, valkey.Prefix("payments:")))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	receipt, err := idempotency.Do(ctx, pay, "invoice-42", nil, func(context.Context) (string, error) {
		return "receipt-1", nil // from the payment provider
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(receipt)
}
