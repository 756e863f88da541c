package apikey_test

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// The program has the hashes of the keys, and not the keys.
func ExampleHashed() {
	keys := apikey.Hashed(map[string]authorizer.Grant{
		apikey.Hash("k-8f14e45fceea167a5a36"): {Principal: "till 3", Scopes: []string{"orders:write"}},
	})
	h := authorizer.Simple(authorizer.APIKey("X-Api-Key", keys))

	event := sample.Of(guard.Authorizer).Set("/headers/x-api-key", "k-8f14e45fceea167a5a36").
		Set("/identitySource", []string{"k-8f14e45fceea167a5a36"})
	out, err := h.Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out), err)
	// Output: {"isAuthorized":true,"context":{"principalId":"till 3","scope":"orders:write"}} <nil>
}

// Each key is a secret of its own.
func ExampleSecrets() {
	cache := secrets.New(&vault{values: map[secrets.Ref]string{
		{Name: "shop/api-key"}: "k1-0123456789abcdef0123456789",
	}}) // in a function: secrets.New(awssecrets.New(…))
	keys := apikey.Secrets(cache, map[string]authorizer.Grant{"shop/api-key": {Principal: "shop"}})
	grant, err := keys.Verify(context.Background(), "k1-0123456789abcdef0123456789")
	fmt.Println(grant.Principal, err)
	// Output: shop <nil>
}

// All keys are in one secret.
func ExampleJSON() {
	cache := secrets.New(&vault{values: map[secrets.Ref]string{
		{Name: "api-keys"}: `{"keys": [
			{"key": "k1-0123456789abcdef0123456789", "principal": "shop", "scopes": ["orders:write"]},
			{"key": "k2-0123456789abcdef0123456789", "principal": "till"}
		]}`,
	}}) // in a function: secrets.New(awssecrets.New(…))
	keys := apikey.JSON(cache, "api-keys")
	for _, key := range []string{"k1-0123456789abcdef0123456789", "k3-0123456789abcdef0123456789"} {
		grant, err := keys.Verify(context.Background(), key)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(grant.Principal, grant.Scopes)
	}
	// Output:
	// shop [orders:write]
	// api_key_unknown: The API key is not known.
}
