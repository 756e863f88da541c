// Package basic checks user names and passwords (RFC 7617) for an authorizer.
//
//	check := basic.Users("orders", map[string]basic.User{
//		"alice": {Hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$…"},
//	})
//	guard.Start(authorizer.Simple(check), guard.Log(logger), guard.Errors(), guard.Recover())
//
// It is a package of its own, as the hash functions that passwords take are
// large. Where callers are programs, an API key is the better credential: it
// costs a microsecond to check where a password must cost a hundred thousand.
package basic
