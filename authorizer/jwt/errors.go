package jwt

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Codes of errors; [Verifier.Verify] documents them.
const (
	codeMalformed   = "token_malformed"
	codeTooLarge    = "token_too_large"
	codeAlgorithm   = "token_algorithm"
	codeType        = "token_type"
	codeUnknownKey  = "token_unknown_key"
	codeSignature   = "token_signature"
	codeClaims      = "token_claims"
	codeIssuer      = "token_issuer"
	codeAudience    = "token_audience"
	codeBound       = "token_bound"
	codeExpired     = "token_expired"
	codeNotYetValid = "token_not_yet_valid"
	codeKeys        = "token_keys_unavailable"
)

// refuse returns an error about the token. The sender can read the detail, so it
// quotes nothing of the token.
func refuse(code, detail string) error {
	return &guard.Error{Kind: guard.Unauthenticated, Code: code, Detail: detail}
}

// maxGatewayTTL is the longest time that a gateway keeps a denial.
const maxGatewayTTL = time.Hour

// notYetValid returns an error about a token that becomes valid after wait. It is a
// denial only if wait is longer than a gateway stores a denial. Otherwise it is
// Unavailable, which a gateway does not store.
func notYetValid(wait time.Duration) error {
	e := &guard.Error{Kind: guard.Unauthenticated, Code: codeNotYetValid, Detail: "The token is not valid yet."}
	if wait <= maxGatewayTTL {
		e.Kind, e.RetryAfter = guard.Unavailable, wait
	}
	return e
}

// unavailable returns an error about the keys: the token may be a good one.
// retryAfter is 0 if it is not known.
func unavailable(cause error, retryAfter time.Duration) error {
	return &guard.Error{
		Kind: guard.Unavailable, Code: codeKeys, Err: cause, RetryAfter: retryAfter,
		Detail: "The keys that verify tokens are not available at the moment. Try again later.",
	}
}

var (
	// errMustFetch is internal: only the issuer can say whether there is a key.
	errMustFetch = reason.New("the keys have to be fetched")
	// errTooManyKids is the cause if the budget for unknown kids is used up.
	errTooManyKids = reason.New("the kid is not known, and keys were fetched for too many other kids just now")
)

func unknownKey() error {
	return refuse(codeUnknownKey, "The token's key is not one of its issuer.")
}
