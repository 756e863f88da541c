package basic_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/basic"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
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

// In a function that is called directly, the check is a layer. A refusal
// has the realm.
func ExampleUsers_require() {
	check := basic.Users("orders", map[string]basic.User{
		"alice": {Hash: "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk"},
	})
	hello := func(ctx context.Context, _ struct{}) (string, error) {
		grant, _ := authorizer.GrantFrom(ctx)
		return "hello " + grant.Principal, nil
	}
	h := guard.Wrap(httpapi.Func(hello), httpapi.Problems(), authorizer.Require(check))

	request := sample.HTTP("GET", "/")
	for _, r := range []sample.HTTPEvent{request, request.Header("Authorization", credentials("alice", "correct horse"))} {
		out, err := h.Invoke(context.Background(), r.Bytes())
		var answer struct {
			StatusCode int
			Headers    map[string]string
		}
		_ = json.Unmarshal(out, &answer) // made by this function
		fmt.Println(answer.StatusCode, answer.Headers["www-authenticate"], err)
	}
	// Output:
	// 401 Basic realm="orders", charset="UTF-8" <nil>
	// 200  <nil>
}

// A user can have scopes, groups and values for the backend.
func ExampleUser() {
	check := basic.Users("orders", map[string]basic.User{
		"alice": {
			Hash:    "$2a$12$fgKAXRMZl.9WzqN/B1uI7Oi5gtcZhfuKmR6iuUhJUMuV.GGQcDwSG", // htpasswd -nBC 12 alice
			Scopes:  []string{"orders:read"},
			Groups:  []string{"staff"},
			Context: map[string]any{"plan": "gold"},
		},
	})
	_ = authorizer.Routes(map[string]authorizer.Check{"GET /orders": authorizer.All(check, authorizer.Scopes("orders:read"))})
}
