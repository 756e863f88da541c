package main

import "github.com/lambdarmor/lambdarmor/authorizer"

// mayCall lists the check of each route. A route that is not listed is denied.
func mayCall(tokens authorizer.Verifier) authorizer.Check {
	return authorizer.All(
		authorizer.Bearer(tokens),
		authorizer.Routes(map[string]authorizer.Check{
			"POST /orders":     authorizer.Scopes("orders:write"),
			"GET /orders/{id}": authorizer.Scopes("orders:read"),
		}),
	)
}
