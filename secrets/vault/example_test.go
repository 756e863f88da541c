package vault_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/vault"
)

func ExampleKV() {
	// Vault's Lambda extension answers on 127.0.0.1:8200. This one is for the example.
	extension := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL)
		_, _ = io.WriteString(w, `{"data":{"data":{"api-key":"hunter2"},"metadata":{"version":3}}}`)
	}))
	defer extension.Close()

	keys := secrets.New(vault.KV(vault.Address(extension.URL)))
	key, err := keys.Get(context.Background(), "secret/shop/payments#api-key")
	fmt.Println(key, key.Version(), err)
	// Output:
	// /v1/secret/data/shop/payments
	// [redacted] 3 <nil>
}
