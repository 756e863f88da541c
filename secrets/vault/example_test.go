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

// extension is a Vault that prints its requests and has one secret. Vault's Lambda
// extension answers on 127.0.0.1:8200.
func extension() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL)
		_, _ = io.WriteString(w, `{"data":{"data":{"user":"app","password":"hunter2"},"metadata":{"version":3}}}`)
	}))
}

func ExampleKV() {
	server := extension()
	defer server.Close()

	keys := secrets.New(vault.KV(vault.Address(server.URL)))
	password, err := keys.Get(context.Background(), "secret/shop/database#password")
	fmt.Println(password, password.Version(), err)
	// Output:
	// /v1/secret/data/shop/database
	// [redacted] 3 <nil>
}

// A name without a field is the whole secret, as JSON.
func ExampleKV_json() {
	server := extension()
	defer server.Close()

	keys := secrets.New(vault.KV(vault.Address(server.URL)))
	type database struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}
	db, err := secrets.JSON[database](context.Background(), keys, "secret/shop/database")
	fmt.Println(db.User, len(db.Password), err)
	// Output:
	// /v1/secret/data/shop/database
	// app 7 <nil>
}

// Without the extension, an agent keeps a token in a file. The engine is mounted
// at team/kv.
func ExampleMount() {
	keys := secrets.New(vault.KV(
		vault.Address("https://vault.example:8200"),
		vault.TokenFile("/run/vault/token"),
		vault.Mount("team/kv"),
	))
	_, err := keys.Get(context.Background(), "team/kv/shop/database#password")
	fmt.Println(err != nil) // there is no such file here
	// Output: true
}
