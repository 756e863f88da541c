package jwt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
)

// Verifier verifies tokens of one issuer. It implements [authorizer.Verifier]
// and is safe for concurrent use. Make it once, outside of the handler: it
// keeps the issuer's keys.
type Verifier struct {
	issuer      string
	anyIssuer   bool
	audiences   []string
	clients     []string
	algorithms  []Algorithm
	types       []string
	tokenUse    string
	leeway      time.Duration // of exp
	ahead       time.Duration // that nbf and iat may be
	acceptBound bool
	names       *names
	principal   func(*Claims) string
	balancer    *loadBalancer
	encoding    encoding
	fetcher     *fetcher
	keys        keySource
	remembered  *memory
	headers     knownHeaders
	now         func() time.Time
}

var _ authorizer.Verifier = (*Verifier)(nil)

// A keySource has the keys.
type keySource interface {
	// find gives the key that t must be signed with. It may fetch keys, but only
	// if the rest of t is plausible.
	find(ctx context.Context, t *token, now time.Time) (*key, error)
	// trusts reports whether find would still give k, as far as is known
	// without asking anybody.
	trusts(k *key, now time.Time) bool
}

// New makes a Verifier. It panics when c does not say what has to be checked,
// or contradicts itself. Nothing is fetched before the first token.
func New(c Config) *Verifier {
	if err := c.problem(); err != nil {
		panic("jwt: New: " + err.Error())
	}
	v := &Verifier{
		issuer:      c.Issuer,
		anyIssuer:   c.UnsafeAnyIssuer,
		audiences:   slices.Clone(c.Audiences),
		clients:     slices.Clone(c.Clients),
		algorithms:  slices.Clone(c.algorithms()),
		types:       c.types(),
		tokenUse:    c.TokenUse,
		leeway:      c.Leeway,
		ahead:       cmp.Or(c.Leeway, defaultAhead),
		acceptBound: c.UnsafeAcceptBoundTokens,
		names:       newNames(c.ClientClaim, c.Groups, slices.Clone(c.Context)),
		principal:   c.Principal,
		balancer:    c.loadBalancer,
		encoding:    unpadded,
		fetcher:     newFetcher(c.HTTPClient),
		now:         wallClock,
	}
	if c.loadBalancer != nil {
		v.encoding = padded
	}
	v.keys = c.source(v.fetcher, func() time.Time { return v.now() })
	if c.Remember > 0 {
		v.remembered = newMemory(c.Remember)
	}
	return v
}

// wallClock is what tokens and keys are judged by: the monotonic clock may
// stand still while a process is frozen.
func wallClock() time.Time { return time.Now().Round(0) }

// Verify verifies a token, and grants what it says. Its errors are
// [*guard.Error] values. Those about the token are Unauthenticated and have one
// of these codes:
//
//   - token_malformed, token_too_large: it is not a JWT as it has to be.
//   - token_algorithm: alg is not accepted, or not the one of its key.
//   - token_type: typ or token_use is not what is asked for.
//   - token_unknown_key: no key has its kid, or several would fit.
//   - token_signature: it is forged, or was changed.
//   - token_expired: its time is over.
//   - token_not_yet_valid: nbf or iat is more than an hour ahead.
//   - token_issuer, token_audience: it is not from there, or not for us.
//   - token_bound: it has cnf, and is good only with a proof of a key.
//   - token_claims: a claim is missing or has the wrong type.
//
// What time alone mends is no denial, as a gateway would keep it for up to an
// hour. Such an error is Unavailable, and an authorizer answers with an error,
// which no gateway keeps:
//
//   - token_not_yet_valid: the token begins within an hour, after RetryAfter.
//   - token_keys_unavailable: the keys cannot be had, or the issuer is not to be
//     asked again yet. The token may be a good one.
func (v *Verifier) Verify(ctx context.Context, token string) (*authorizer.Grant, error) {
	r, err := v.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return r.grant, nil
}

// Claims verifies a token as [Verifier.Verify] does, and gives all that it says.
func (v *Verifier) Claims(ctx context.Context, token string) (*Claims, error) {
	r, err := v.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return r.claims, nil
}

// A result is what is known of a token that has been verified.
type result struct {
	claims *Claims
	grant  *authorizer.Grant
	key    *key
}

func (v *Verifier) verify(ctx context.Context, text string) (*result, error) {
	now := v.now()
	if v.remembered != nil {
		if r, ok := v.remembered.find(text, now); ok && v.keys.trusts(r.key, now) {
			return r, nil
		}
	}
	t, err := v.parse(text, now)
	if err != nil {
		return nil, err
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
	r := &result{claims: t.claims, grant: grant, key: k}
	if v.remembered != nil {
		v.remembered.keep(text, r, now, v.leeway)
	}
	return r, nil
}

// checkSignature gives the key that t was signed with.
func (v *Verifier) checkSignature(ctx context.Context, t *token) (*key, error) {
	k, err := v.keys.find(ctx, t, t.now)
	if err != nil {
		return nil, err
	}
	if len(t.signature) > maxSignature {
		return nil, refuse(codeSignature, "The token's signature is not one of its issuer.")
	}
	var buf [512]byte
	signature, ok := t.appendDecoded(buf[:0], t.signature)
	if !ok {
		return nil, refuse(codeMalformed, "The token's signature is not base64url.")
	}
	if !k.verify(t.alg, t.signed, signature) {
		return nil, refuse(codeSignature, "The token's signature is not one of its issuer.")
	}
	v.headers.keep(t)
	return k, nil
}

// parse takes a token apart and judges its header.
func (v *Verifier) parse(text string, now time.Time) (*token, error) {
	begin, end, err := split(text)
	if err != nil {
		return nil, err
	}
	encoded := text[:begin-1]
	h := v.headers.find(encoded)
	if h == nil {
		if h, err = readHeader(encoded, v.encoding, v.balancer != nil); err != nil {
			return nil, err
		}
		if err := v.checkHeader(h); err != nil {
			return nil, err
		}
	}
	raw := []byte(text)
	return &token{
		header: h, encoding: v.encoding, signed: raw[:end], payload: raw[begin:end], signature: raw[end+1:],
		verifier: v, now: now,
	}, nil
}

func (v *Verifier) checkHeader(h *header) error {
	switch {
	case !slices.Contains(v.algorithms, h.alg):
		return refuse(codeAlgorithm, "The token's algorithm is not accepted.")
	case !slices.Contains(v.types, h.typ):
		return refuse(codeType, "The token is of another type.")
	case v.balancer != nil:
		return v.balancer.check(h, v)
	default:
		return nil
	}
}

// plausible reads the claims of a token and judges them, once, whether or not
// it is known yet who has signed it.
func (t *token) plausible() error {
	if t.claims != nil {
		return nil
	}
	payload, ok := t.appendDecoded(nil, t.payload)
	if !ok {
		return refuse(codeMalformed, "The token's payload is not base64url.")
	}
	c, err := readClaims(payload, t.verifier.names)
	if err != nil {
		return err
	}
	if b := t.verifier.balancer; b != nil {
		if err := b.complete(c, t.header); err != nil {
			return err
		}
	}
	if err := t.verifier.check(t, c); err != nil {
		return err
	}
	t.claims = c
	return nil
}
