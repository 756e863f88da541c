package jwt

import (
	"cmp"
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// Verifier verifies tokens of one issuer. It implements [authorizer.Verifier]
// and is safe for concurrent use. Make one outside the handler: it keeps the
// issuer's keys.
type Verifier struct {
	config     Config
	ahead      time.Duration // how far nbf and iat may be ahead
	claimNames []string      // that are read
	encoding   jws.Encoding
	fetcher    *fetcher
	keys       keySource
	cache      *tokenCache // nil keeps no tokens
	clock      clock.Clock
}

var _ authorizer.Verifier = (*Verifier)(nil)

// A keySource has the keys of an issuer.
type keySource interface {
	// find returns the key that t must be signed with. It fetches keys if it has
	// to, and if the claims of t are plausible.
	find(ctx context.Context, t *token) (*jws.Key, error)
	// trusts reports whether find would still return k without a fetch.
	trusts(k *jws.Key, now time.Time) bool
	// forget drops what was fetched.
	forget()
}

// New returns a Verifier. It panics if c is incomplete or contradicts itself. It
// fetches nothing: keys are fetched for the first token.
func New(c Config) *Verifier {
	if err := c.check(); err != nil {
		panic("jwt: New: " + err.Error())
	}
	c = c.withDefaults()
	v := &Verifier{
		config:     c,
		ahead:      cmp.Or(c.Leeway, defaultAhead),
		claimNames: append(append(claimNames(), c.ClientClaim, c.Groups), c.Context...),
		encoding:   jws.Unpadded,
		fetcher:    newFetcher(c.HTTPClient),
	}
	now := func() time.Time { return v.clock.Now() }
	switch {
	case c.loadBalancer != nil:
		v.encoding = jws.Padded
		v.keys = newBalancerKeys(v.fetcher, c.loadBalancer.keys, now)
	case c.Keys.set != nil:
		v.keys = staticKeys{c.Keys.set}
	case c.Keys.uri != "":
		v.keys = newRemoteKeys(v.fetcher.keySetAt(c.Keys.uri), now)
	default:
		v.keys = newRemoteKeys(v.fetcher.discover(c.Issuer), now)
	}
	if c.CacheTokens > 0 {
		v.cache = newTokenCache(c.CacheTokens)
	}
	return v
}

// Verify verifies a token and returns its Grant. Errors are [*guard.Error]
// values. Those about the token are Unauthenticated, with one of these codes:
//
//   - token_malformed, token_too_large: it is not a well-formed JWT.
//   - token_algorithm: alg is not accepted, or does not fit its key.
//   - token_type: typ or token_use is not the required one.
//   - token_unknown_key: no key has its kid, or several fit.
//   - token_signature: it was forged or changed.
//   - token_expired: exp has passed.
//   - token_not_yet_valid: nbf or iat is more than an hour ahead.
//   - token_issuer, token_audience: it is of another issuer, or for another
//     audience or client.
//   - token_bound: it has cnf, and needs a proof of a key.
//   - token_claims: a claim is missing or has the wrong type.
//
// Temporary errors are Unavailable. An authorizer then answers with an error, which
// no gateway stores; it would store a denial for up to an hour:
//
//   - token_not_yet_valid: the token becomes valid within an hour, after
//     RetryAfter.
//   - token_keys_unavailable: the keys cannot be fetched, or may not be fetched
//     again yet. The token may be a good one.
func (v *Verifier) Verify(ctx context.Context, token string) (*authorizer.Grant, error) {
	r, err := v.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return r.grant, nil
}

// Claims verifies a token as [Verifier.Verify] does, and returns its claims.
func (v *Verifier) Claims(ctx context.Context, token string) (*Claims, error) {
	r, err := v.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return r.claims, nil
}

// Forget drops the issuer's keys: the next token fetches keys, also one that was
// verified before. It is a hook for guard.OnRestore: without it every restored copy of
// a snapshot trusts the snapshot's keys until they expire.
func (v *Verifier) Forget() { v.keys.forget() }

// verified is a token whose signature and claims hold.
type verified struct {
	claims *Claims
	grant  *authorizer.Grant
	key    *jws.Key
}

func (v *Verifier) verify(ctx context.Context, text string) (*verified, error) {
	now := v.clock.Now()
	if v.cache != nil {
		if r := v.cache.find(text, now); r != nil && v.keys.trusts(r.key, now) {
			return r, nil
		}
	}
	t, err := v.split(text, now)
	if err != nil {
		return nil, err
	}
	if v.config.loadBalancer != nil {
		if err := v.checkBalancer(&t.header); err != nil {
			return nil, err
		}
	}
	k, err := v.checkSignature(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := t.plausible(); err != nil {
		return nil, err
	}
	grant, err := v.grant(t.claims)
	if err != nil {
		return nil, err
	}
	r := &verified{claims: t.claims, grant: grant, key: k}
	if v.cache != nil {
		v.cache.keep(text, r, now)
	}
	return r, nil
}

// checkSignature returns the key that t was signed with.
func (v *Verifier) checkSignature(ctx context.Context, t *token) (*jws.Key, error) {
	k, err := v.keys.find(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(t.signature) <= maxSignature {
		signature, ok := v.encoding.Decode(t.signature)
		if !ok {
			return nil, refuse(codeMalformed, "The token's signature is not base64url.")
		}
		if k.Verify(string(t.alg), t.signed, signature) {
			return k, nil
		}
	}
	return nil, refuse(codeSignature, "The token's signature is not one of its issuer.")
}

// grant returns the Grant of verified claims. If the grant would be invalid, the
// token is refused, and the authorizer does not fail.
func (v *Verifier) grant(c *Claims) (*authorizer.Grant, error) {
	g := &authorizer.Grant{
		Principal: v.config.Principal(c),
		Context:   c.context,
		Scopes:    c.Scopes,
		Groups:    c.Groups,
		Expires:   c.Expires.Add(v.config.Leeway),
	}
	if g.Principal == "" {
		return nil, refuse(codeClaims, "The token does not say whom it was issued to.")
	}
	if err := g.Validate(); err != nil {
		return nil, &guard.Error{
			Kind: guard.Unauthenticated, Code: codeClaims,
			Detail: "The token has a claim that gateways do not pass on.", Err: err,
		}
	}
	return g, nil
}
