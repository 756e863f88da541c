package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// openLocally makes a signing key that lives as long as the process, and prints how
// to sign with it.
func openLocally() *services {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	key := "whsec_" + base64.StdEncoding.EncodeToString(secret)
	fmt.Fprintf(os.Stderr, `signing key of this run: %s
a delivery, signed:

  id=msg_1 ts=$(date +%%s) body='{"type":"payment.succeeded","data":{"invoice":"inv-7","amount":"179.00","currency":"EUR"}}'
  sig=$(printf %%s "$id.$ts.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:%x -binary | base64)
  curl -i http://127.0.0.1:8080/payments -H 'Content-Type: application/json' \
    -H "webhook-id: $id" -H "webhook-timestamp: $ts" -H "webhook-signature: v1,$sig" -d "$body"

`, key, secret)
	return &services{
		books:       &books{ledger: &memory{}},
		deliveries:  idempotency.NewMemoryStore(),
		signingKeys: webhook.KeysFunc(func(context.Context) ([]string, error) { return []string{key}, nil }),
	}
}
