package main

import "github.com/lambdarmor/lambdarmor/authorizer"

// mayCall lists what each route needs. A route that is not listed is closed.
func mayCall(tokens authorizer.Verifier) authorizer.Check {
	return authorizer.All(
		authorizer.Bearer(tokens),
		authorizer.Routes(map[string]authorizer.Check{
			"POST /orders":     authorizer.Scopes("orders:write"),
			"GET /orders/{id}": authorizer.Scopes("orders:read"),
		}),
	)
}
