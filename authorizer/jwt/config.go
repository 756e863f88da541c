package jwt

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Config says which tokens hold. [Cognito], [CognitoID], [AccessToken] and
// [ALB] make one; what they leave out can be set afterwards.
type Config struct {
	// Issuer is what iss must be, to the letter: an https URI where the keys are
	// discovered.
	Issuer string
	// Audiences: aud must have one of them.
	Audiences []string
	// Clients: client_id must be one of them. Where both Audiences and Clients
	// are set, both must hold; one of them has to be.
	Clients []string
	// ClientClaim is the claim that has the client, where an issuer does not have
	// it in client_id: azp of Auth0, Keycloak and Entra ID, cid of Okta. It is then
	// the only one that counts. ID tokens can have it as well, so Audiences have to
	// be set with it. Empty is client_id, which RFC 9068 has.
	ClientClaim string
	// Keys are what tokens are verified with; zero discovers them at Issuer.
	Keys Keys
	// Algorithms are those that are accepted. Empty is RS256, ES256, ES384,
	// ES512, EdDSA and Ed25519, or HS256 with a [Secret]; HS goes with nothing else.
	Algorithms []Algorithm
	// Types are what typ may be, in the short form and in lower case; "" is no typ at
	// all. Empty is "jwt" and "". A token of the type "at+jwt" must have the claims of
	// RFC 9068. Beside it "jwt" and "" let ID tokens in, where an issuer has them for
	// the same audience: RFC 9068 has "at+jwt" alone.
	Types []string
	// TokenUse is what token_use must be; empty does not look at it.
	TokenUse string
	// Leeway is how far clocks may be apart when exp, nbf and iat are judged, at
	// most a minute. Zero is 5 seconds for nbf and iat, as clocks of issuers run
	// ahead, and nothing for exp. The Grant ends as much later as the token.
	Leeway time.Duration
	// Groups is the claim with the groups of the Grant, a string or an array of
	// strings; empty is none.
	Groups string
	// Context are the claims that the backend is told, by the same names in the
	// Context of the Grant, which cannot have principalId, scope, groups, expires,
	// claims and integrationLatency. A token in which one of them is neither a
	// string, a number nor a boolean is refused, and so is one that gateways do not
	// pass on: a string that is itself an object, an array or a string of JSON or
	// has a control character, and a whole number beyond 2^53. One that is not there is left out.
	Context []string
	// Principal makes the Principal of the Grant; nil is sub. Where a route takes
	// tokens of several issuers, it should have the issuer in it, as sub is
	// unique within one only. A token of which it makes nothing, or what no
	// gateway passes on, is refused.
	Principal func(*Claims) string
	// Remember is about how many verified tokens are kept, by SHA-256, so that
	// the next request with one of them costs next to nothing: until exp, for
	// five minutes at most, and as long as its key is trusted. Zero is none.
	Remember int
	// HTTPClient fetches keys; nil is one of its own. Its transport is used, and
	// nothing else: neither redirects nor cookies nor its timeout.
	HTTPClient *http.Client

	// UnsafeAnyIssuer accepts tokens whoever has issued them, if they are signed
	// with one of the Keys. Issuer is then empty.
	UnsafeAnyIssuer bool
	// UnsafeAnyAudience accepts tokens that were issued for any service that
	// trusts the same issuer. Audiences and Clients are then empty.
	UnsafeAnyAudience bool
	// UnsafeAcceptBoundTokens accepts tokens with cnf, which are good only together
	// with a proof that their sender has a key: DPoP (RFC 9449), or the certificate
	// of mutual TLS (RFC 8705). Nothing here checks the proof, so whoever has stolen
	// such a token can use it. That is legitimate where something else checks it for
	// each request: a proxy that alone can call the function, or a Check of your own
	// that has cnf of [Verifier.Claims] and compares it with the client's certificate.
	UnsafeAcceptBoundTokens bool

	loadBalancer *loadBalancer // of ALB
}

const (
	// maxLeeway is the most that clocks may be apart.
	maxLeeway = time.Minute
	// defaultAhead is how far nbf and iat may be ahead where no Leeway is set.
	defaultAhead = 5 * time.Second
)

// problem is what is wrong with c, or nil.
func (c *Config) problem() error {
	switch {
	case c.UnsafeAnyIssuer != (c.Issuer == ""):
		return reason.New("set either Issuer or UnsafeAnyIssuer")
	case c.UnsafeAnyAudience != (len(c.Audiences)+len(c.Clients) == 0):
		return reason.New("set either Audiences or Clients, or UnsafeAnyAudience")
	case slices.Contains(c.Audiences, "") || slices.Contains(c.Clients, ""):
		return reason.New("an audience or a client must not be empty")
	case c.ClientClaim != "" && len(c.Audiences) == 0:
		return reason.New("a ClientClaim goes with Audiences: an ID token can have it as well")
	case c.ClientClaim != "" && (slices.Contains(c.Types, accessTokenType) || slices.Contains(claimNames, c.ClientClaim)):
		return reason.New("a ClientClaim must not be a claim that means something else, and at+jwt has client_id")
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return fmt.Errorf("the Leeway must be 0 to %v, not %v", maxLeeway, c.Leeway)
	case c.Remember < 0:
		return reason.New("the number to Remember must not be negative")
	case slices.ContainsFunc(c.Types, func(typ string) bool { return typ != strings.ToLower(typ) || strings.Contains(typ, "/") }):
		return reason.New("the Types must be in lower case, and without application/")
	case slices.Contains(c.Context, ""):
		return reason.New("a claim of Context must have a name")
	case slices.ContainsFunc(c.Context, cannotBeTold):
		return reason.New("a claim of Context must not have a name that means something else in the context of an authorizer")
	}
	if c.loadBalancer != nil {
		return c.loadBalancer.problem(c)
	}
	if c.Keys == (Keys{}) {
		if err := checkURI(c.Issuer); err != nil {
			return fmt.Errorf("keys are discovered at Issuer: %w", err)
		}
		if strings.Contains(c.Issuer, "?") {
			return reason.New("keys are discovered at Issuer: the URI must not have a query")
		}
	}
	return c.algorithmProblem()
}

func (c *Config) algorithmProblem() error {
	symmetric, withKey := 0, 0
	for _, a := range c.algorithms() {
		if a.scheme().verify == 0 {
			return fmt.Errorf("unknown algorithm %q", a)
		}
		if a.symmetric() {
			symmetric++
		}
		if c.Keys.set == nil || slices.ContainsFunc(c.Keys.set.keys, func(k *key) bool { return k.fits(a) }) {
			withKey++
		} else if len(c.Algorithms) > 0 {
			return fmt.Errorf("no key is one for %s", a)
		}
	}
	shared := c.Keys.isSecret()
	if symmetric > 0 && (!shared || symmetric < len(c.algorithms())) || shared && symmetric == 0 {
		return reason.New("a Secret goes with HS algorithms alone, and they with nothing else")
	}
	if withKey == 0 {
		return reason.New("no key is one for the Algorithms, which have to be set")
	}
	return nil
}

// cannotBeTold reports whether no Grant can have the name in its Context.
func cannotBeTold(name string) bool {
	g := authorizer.Grant{Principal: "somebody", Context: map[string]any{name: true}}
	return g.Validate() != nil
}

// types are what c accepts as typ.
func (c *Config) types() []string {
	if len(c.Types) == 0 {
		return []string{"jwt", ""}
	}
	return slices.Clone(c.Types)
}

// algorithms are those that c accepts.
func (c *Config) algorithms() []Algorithm {
	switch {
	case len(c.Algorithms) > 0:
		return c.Algorithms
	case c.loadBalancer != nil:
		return []Algorithm{ES256}
	case c.Keys.isSecret():
		return []Algorithm{HS256}
	default:
		return oneOfEach()
	}
}
