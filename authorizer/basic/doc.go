// Package basic checks the user name and password of HTTP Basic authentication (RFC
// 7617) for package authorizer.
//
//	check := basic.Users("orders", map[string]basic.User{
//		"alice": {Hash: "$2a$12$fgKAXRMZl.9WzqN/B1uI7Oi5gtcZhfuKmR6iuUhJUMuV.GGQcDwSG"},
//	})
//	guard.Start(authorizer.Simple(check), guard.Default(logger))
//
// A hash is what "htpasswd -nBC 12 alice" prints after the name, or argon2id in the
// PHC format.
//
// Prefer an API key for programs: checking it takes a microsecond, where a password
// must take a tenth of a second. This is a package of its own because its hash
// functions are large.
package basic
