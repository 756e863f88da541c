package basic_test

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/basic"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// The identity source of the authorizer is the header Authorization.
func ExampleUsers() {
	check := basic.Users("orders", map[string]basic.User{
		"alice": { // whose password is "correct horse"
			Hash:   "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk",
			Scopes: []string{"orders:read"},
		},
	})
	h := guard.Wrap(authorizer.Simple(check), guard.Errors(), guard.Recover())
	for _, password := range []string{"correct horse", "guess"} {
		sent := credentials("alice", password)
		event := sample.Of(guard.Authorizer).Set("/headers/authorization", sent).Set("/identitySource", []string{sent})
		answer, err := h.Invoke(context.Background(), event.Bytes())
		fmt.Println(string(answer), err)
	}
	// Output:
	// {"isAuthorized":true,"context":{"principalId":"alice","scope":"orders:read"}} <nil>
	// {"isAuthorized":false} <nil>
}
