package valkey_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	valkeygo "github.com/valkey-io/valkey-go"
)

func ExampleNew() {
	client, err := valkeygo.NewClient(valkeygo.ClientOption{
		InitAddress:      []string{"records.internal:6379"},
		TLSConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ConnWriteTimeout: time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	store := valkey.New(client)

	placeOrder := func(context.Context, struct{ SKU string }) (string, error) { return "order o-1", nil }
	h := guard.Wrap(httpapi.Func(placeOrder),
		httpapi.Problems(),
		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
	)
	_ = h // for lambda.Start, or httpapi.Start in the place of guard.Wrap
}

// Two services share a cluster, and each keeps its records on one node.
func ExamplePrefix() {
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{"records.internal:6379"}})
	if err != nil {
		log.Fatal(err)
	}
	orders := valkey.New(client, valkey.Prefix("{orders}:"))
	payments := valkey.New(client, valkey.Prefix("{payments}:"))
	_, _ = orders, payments
}

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
