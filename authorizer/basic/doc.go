// Package basic checks user names and passwords (RFC 7617) for an authorizer.
//
//	check := basic.Users("orders", map[string]basic.User{
//		"alice": {Hash: "$2a$12$fgKAXRMZl.9WzqN/B1uI7Oi5gtcZhfuKmR6iuUhJUMuV.GGQcDwSG"},
//	})
//	guard.Start(authorizer.Simple(check), guard.Log(logger), guard.Errors(), guard.Recover())
//
// A hash is what "htpasswd -nBC 12 alice" prints behind the name, or one of
// argon2id in the PHC format.
//
// It is a package of its own, as the hash functions that passwords take are
// large. Where callers are programs, an API key is the better credential: it
// costs a microsecond to check where a password must cost a hundred thousand.
package basic
