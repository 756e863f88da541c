// Package vault fetches secrets from HashiCorp Vault: from a KV engine of version
// 2, over HTTP, without Vault's client.
//
// In a Lambda function, use Vault's own extension. It logs in with the role of the
// function, keeps the token fresh, and answers on http://127.0.0.1:8200, the
// default of this package:
//
//	keys := secrets.New(vault.KV())
//
//	func charge(ctx context.Context, in payment) (receipt, error) {
//		return secrets.Try(ctx, keys, "secret/shop/payments#api-key",
//			func(ctx context.Context, key secrets.Secret) (receipt, error) { … })
//	}
//
// Set the address of Vault for the extension in VLE_VAULT_ADDR, because this
// package also reads VAULT_ADDR. Leave the extension's own cache off, as it is by
// default: a second cache hides a rotation.
//
// Without the extension, name Vault and a token:
//
//	keys := secrets.New(vault.KV(
//		vault.Address("https://vault.example:8200"),
//		vault.TokenFile("/run/vault/token"), // an agent's sink
//	))
//
// Plain http is for this machine alone. No redirect is followed and no proxy is
// used. To trust a private certificate authority, set SSL_CERT_FILE. For the file
// mode of the extension, use [secrets.Dir].
//
// # Errors
//
// A 403 is [secrets.ErrDenied]. A 404, and a version that is deleted or destroyed,
// is [secrets.ErrNotFound]. A Vault that is sealed, a standby, behind or busy is
// [secrets.ErrUnavailable]. No error repeats an answer of Vault.
package vault
