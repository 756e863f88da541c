// Package apikey verifies API keys for package authorizer, against hashes in the
// program or against secrets in AWS Secrets Manager and other stores.
//
//	keys := apikey.Secrets(cache, map[string]authorizer.Grant{
//		"shop/api-key": {Principal: "shop", Scopes: []string{"orders:write"}},
//	})
//	guard.Start(authorizer.Simple(authorizer.APIKey("X-Api-Key", keys)), guard.Default(log))
//
// A key must be random, with 128 bits or more: a fast hash does not protect what can
// be guessed. Each verifier compares a key with all known keys, in a time that does
// not depend on which one matches. The error for an unknown key is Unauthenticated,
// with the code api_key_unknown.
package apikey
