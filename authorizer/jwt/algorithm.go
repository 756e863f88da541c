package jwt

// Algorithm is the name of a signature algorithm in the alg parameter (RFC 7518,
// section 3.1, RFC 8037 and RFC 9864).
//
// EdDSA and Ed25519 are two names of one algorithm; RFC 9864 deprecates the first.
// A key whose alg is one of them verifies tokens with the same name; a key
// without alg verifies both.
type Algorithm string

// The algorithms. Those that begin with HS use a secret that signs as well as
// verifies.
const (
	RS256   Algorithm = "RS256"
	RS384   Algorithm = "RS384"
	RS512   Algorithm = "RS512"
	PS256   Algorithm = "PS256"
	PS384   Algorithm = "PS384"
	PS512   Algorithm = "PS512"
	ES256   Algorithm = "ES256"
	ES384   Algorithm = "ES384"
	ES512   Algorithm = "ES512"
	EdDSA   Algorithm = "EdDSA" // with Ed25519
	Ed25519 Algorithm = "Ed25519"
	HS256   Algorithm = "HS256"
	HS384   Algorithm = "HS384"
	HS512   Algorithm = "HS512"
)

// defaultAlgorithms has one algorithm for each kind of public key. So a key without
// alg is used with one algorithm only (RFC 8725, section 3.1).
func defaultAlgorithms() []Algorithm {
	return []Algorithm{RS256, ES256, ES384, ES512, EdDSA, Ed25519}
}
