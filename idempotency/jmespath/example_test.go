package jmespath_test

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
)

func ExampleKey() {
	key := jmespath.Key("[detail.customer, detail.order]")
	for _, event := range []string{
		`{"detail":{"customer":"c-42","order":17}}`,
		`{"detail":{"order":17}}`,
	} {
		k, err := key(context.Background(), guard.EventOf(context.Background(), []byte(event)))
		fmt.Println(k, err)
	}
	// Output:
	// ["c-42",17] <nil>
	//  idempotency_key_missing: The request lacks a part of the idempotency key.: idempotency: no key
}

// A client may send a payment again with another note, but not with another
// amount.
func ExampleKey_fingerprint() {
	pay := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`"paid"`), nil }),
		idempotency.Once(idempotency.NewMemoryStore(), jmespath.Key("payment"),
			idempotency.Fingerprint(jmespath.Key("amount"))))
	for _, event := range []string{
		`{"payment":"p-1","amount":12,"note":"for lunch"}`,
		`{"payment":"p-1","amount":12,"note":"for dinner"}`,
		`{"payment":"p-1","amount":13}`,
	} {
		answer, err := pay.Invoke(context.Background(), []byte(event))
		fmt.Println(string(answer), err)
	}
	// Output:
	// "paid" <nil>
	// "paid" <nil>
	//  idempotency_key_reused: The idempotency key was used before, with another request.: idempotency: the fingerprint differs
}

// Each record of a batch has a key of its own.
func ExampleKey_operation() {
	type order struct {
		Customer string `json:"customer"`
		Number   int    `json:"number"`
	}
	charge := idempotency.NewOperation("charge", idempotency.NewMemoryStore(),
		idempotency.KeyFrom(jmespath.Key("[customer, number]")))
	charges := 0
	for _, o := range []order{{Customer: "c-42", Number: 17}, {Customer: "c-42", Number: 18}, {Customer: "c-42", Number: 17}} {
		receipt, err := idempotency.Do(context.Background(), charge, "", o, func(context.Context) (int, error) {
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
