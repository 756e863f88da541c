// Package vault gets secrets from HashiCorp Vault: from a KV engine of version
// 2, over HTTP and with no client of Vault's linked.
//
// In a Lambda function Vault's own extension stands in between. It logs in with
// the function's role, keeps the token fresh, and answers on
// http://127.0.0.1:8200, where this package asks unless told otherwise:
//
//	keys := secrets.New(vault.KV())
//
//	func charge(ctx context.Context, in payment) (receipt, error) {
//		return secrets.Try(ctx, keys, "secret/shop/payments#api-key",
//			func(ctx context.Context, key secrets.Secret) (receipt, error) { … })
//	}
//
// Give the extension the address of Vault as VLE_VAULT_ADDR, since VAULT_ADDR is
// also read here. Its own cache is off by default, and best left so: the one of
// package secrets is enough, and a second one hides a rotation.
//
// Without the extension, name Vault and a token:
//
//	keys := secrets.New(vault.KV(
//		vault.Address("https://vault.example:8200"),
//		vault.TokenFile("/run/vault/token"), // an agent's sink
//	))
//
// Plain http is for this machine alone, and a redirect is not followed, so that
// no token and no secret leave it in the clear. No proxy of the environment is
// asked. A private certificate authority is trusted through SSL_CERT_FILE. The
// extension's file mode needs none of this: see [secrets.Dir].
//
// # Errors
//
// A 403 is [secrets.ErrDenied]; a 404, and a version that is deleted or
// destroyed, [secrets.ErrNotFound]; a Vault that is sealed, a standby, behind or
// busy, [secrets.ErrUnavailable]. No error repeats what Vault has answered.
package vault
