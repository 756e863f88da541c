package jwt

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Config says which tokens are valid. [Cognito], [CognitoID], [AccessToken] and
// [ALB] return one that can be changed before it is passed to [New].
type Config struct {
	// Issuer is the exact value that iss must have. Unless Keys are set, it is the
	// https URI where keys are discovered.
	Issuer string
	// Audiences are the accepted audiences: aud must have one of them.
	Audiences []string
	// Clients are the accepted clients: client_id must be one of them. Audiences,
	// Clients or both must be set. If both are, both are checked.
	Clients []string
	// ClientClaim is the claim to read in place of client_id: azp for Auth0,
	// Keycloak and Entra ID, cid for Okta. ID tokens can have that claim too, so it
	// requires Audiences. Empty is client_id, as in RFC 9068.
	ClientClaim string
	// Keys are the keys that verify tokens. Zero discovers them at Issuer.
	Keys Keys
	// Algorithms are the accepted algorithms. Empty is RS256, ES256, ES384, ES512,
	// EdDSA and Ed25519; with a [SharedSecret] it is HS256. HS algorithms cannot be
	// combined with others.
	Algorithms []Algorithm
	// Types are the accepted values of typ, in lower case and without
	// "application/"; "" accepts a token without typ. Empty is "jwt" and "". A token
	// of type "at+jwt" must have the claims of RFC 9068. Accepting "jwt" or ""
	// beside it also accepts ID tokens with the same audience.
	Types []string
	// TokenUse is the value that token_use must have. Empty ignores token_use.
	TokenUse string
	// Leeway is how far clocks may differ, at most a minute. Zero is 5 seconds for
	// nbf and iat, as clocks of issuers run ahead, and nothing for exp. The Grant
	// expires later by the leeway of exp.
	Leeway time.Duration
	// Groups is the claim with the groups of the Grant, a string or an array of
	// strings. Empty is none.
	Groups string
	// Context are the claims that are copied into the Context of the Grant. Names
	// that [authorizer.Grant] refuses panic. A claim that is missing or null is left
	// out. A token is refused if one of them is an object, an array or a number
	// beyond 2^53. Gateways do not pass on a string that is itself JSON or has a
	// control character, so it is refused too.
	Context []string
	// Principal returns the Principal of the Grant; nil is sub. If a route accepts
	// several issuers, include the issuer: sub is unique within one issuer only. A
	// token is refused if the result is empty.
	Principal func(*Claims) string
	// CacheTokens is how many verified tokens are kept, by SHA-256, so that a
	// repeated token is not verified again. A token is kept until exp, for 5
	// minutes at most, and while its key is trusted. Zero keeps none.
	CacheTokens int
	// HTTPClient is the client whose Transport fetches keys; its other settings are
	// ignored. Nil is a client that closes each connection.
	HTTPClient *http.Client

	// UnsafeAnyIssuer accepts tokens of any issuer that are signed with one of the
	// Keys. Issuer must be empty. It is legitimate where the keys belong to one
	// issuer that sets no iss.
	UnsafeAnyIssuer bool
	// UnsafeAnyAudience accepts tokens that were issued for another service of the
	// same issuer. Audiences and Clients must be empty. It is legitimate where the
	// issuer has no other service, or a Check of your own reads the audience.
	UnsafeAnyAudience bool
	// UnsafeAcceptBoundTokens accepts tokens with cnf without a proof that their
	// sender has the key: DPoP (RFC 9449) or a client certificate (RFC 8705).
	// A thief of such a token can then use it. It is legitimate where something
	// else checks the proof of each request. That can be a proxy that alone can
	// call the function, or a Check of your own that reads cnf with
	// [Verifier.Claims].
	UnsafeAcceptBoundTokens bool

	loadBalancer *loadBalancer // set by ALB
}

const (
	maxLeeway = time.Minute
	// defaultAhead is how far nbf and iat may be ahead if no Leeway is set.
	defaultAhead = 5 * time.Second
)

// check returns what is wrong with c, or nil.
func (c *Config) check() error {
	switch {
	case c.UnsafeAnyIssuer != (c.Issuer == ""):
		return reason.New("set either Issuer or UnsafeAnyIssuer")
	case c.UnsafeAnyAudience != (len(c.Audiences)+len(c.Clients) == 0):
		return reason.New("set either Audiences or Clients, or UnsafeAnyAudience")
	case slices.Contains(c.Audiences, "") || slices.Contains(c.Clients, ""):
		return reason.New("set no empty value in Audiences and Clients")
	case c.ClientClaim != "" && len(c.Audiences) == 0:
		return reason.New("set Audiences with ClientClaim: ID tokens can have that claim as well")
	case c.ClientClaim != "" && (slices.Contains(c.Types, accessTokenType) || slices.Contains(claimNames(), c.ClientClaim)):
		return reason.New("the ClientClaim must not be a claim with another meaning; tokens of type at+jwt have client_id")
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return fmt.Errorf("the Leeway must be 0 to %v, not %v", maxLeeway, c.Leeway)
	case c.CacheTokens < 0:
		return reason.New("the number of CacheTokens must not be negative")
	case slices.ContainsFunc(c.Types, func(typ string) bool { return typ != mediaType(typ) || strings.Contains(typ, "/") }):
		return reason.New("the Types must be in lower case, and without application/")
	case slices.ContainsFunc(c.Context, isReserved):
		return reason.New("the Context must not have an empty name, nor one that is reserved in the context of a Grant")
	case c.loadBalancer != nil:
		return c.loadBalancer.checkConfig(c)
	case c.Keys == Keys{}:
		if err := checkURI(c.Issuer); err != nil || strings.Contains(c.Issuer, "?") {
			return reason.New("the Issuer must be an https URI without a query, where keys are discovered; otherwise set Keys")
		}
	}
	return c.checkAlgorithms()
}

func (c *Config) checkAlgorithms() error {
	secret, fitting := c.Keys.isSecret(), 0
	for _, a := range c.algorithms() {
		switch {
		case !jws.IsKnown(string(a)):
			return fmt.Errorf("unknown algorithm %q", a)
		case jws.IsHMAC(string(a)) != secret:
			return reason.New("HS algorithms require a SharedSecret, and it requires them alone")
		case c.Keys.set == nil || c.Keys.set.CanVerify(string(a)):
			fitting++
		case len(c.Algorithms) > 0:
			return fmt.Errorf("no key is for %s", a)
		}
	}
	if fitting == 0 {
		return reason.New("no key is for the default Algorithms: set Algorithms")
	}
	return nil
}

// isReserved reports whether no Grant can have the name in its Context.
func isReserved(name string) bool {
	g := authorizer.Grant{Principal: "somebody", Context: map[string]any{name: true}}
	return g.Validate() != nil
}

func (c *Config) algorithms() []Algorithm {
	switch {
	case len(c.Algorithms) > 0:
		return c.Algorithms
	case c.loadBalancer != nil:
		return []Algorithm{ES256}
	case c.Keys.isSecret():
		return []Algorithm{HS256}
	default:
		return defaultAlgorithms()
	}
}

// withDefaults returns a deep copy of c with its defaults.
func (c Config) withDefaults() Config {
	c.Audiences, c.Clients, c.Context = slices.Clone(c.Audiences), slices.Clone(c.Clients), slices.Clone(c.Context)
	c.Algorithms = slices.Clone(c.algorithms())
	if c.Types = slices.Clone(c.Types); len(c.Types) == 0 {
		c.Types = []string{"jwt", ""}
	}
	c.ClientClaim = cmp.Or(c.ClientClaim, "client_id")
	if c.Principal == nil {
		c.Principal = func(claims *Claims) string { return claims.Subject }
	}
	return c
}
