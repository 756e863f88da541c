package main

import "github.com/lambdarmor/lambdarmor/authorizer"

// mayCall says what it takes to call a route. One that is not named here is
// closed.
func mayCall(tokens authorizer.Verifier) authorizer.Check {
	return authorizer.All(
		authorizer.Bearer(tokens),
		authorizer.Routes(map[string]authorizer.Check{
			"POST /orders":     authorizer.Scopes("orders:write"),
			"GET /orders/{id}": authorizer.Scopes("orders:read"),
		}),
	)
}
