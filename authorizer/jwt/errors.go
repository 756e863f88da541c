package jwt

import (
	"errors"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// The codes of what is refused. They are listed with [Verifier.Verify].
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

// refuse is an error about the token. The detail is for whoever sent it, and
// has nothing in it that only the token could say.
func refuse(code, detail string) error {
	return &guard.Error{Kind: guard.Unauthenticated, Code: code, Detail: detail}
}

// longestKept is for how long a gateway keeps a denial at most.
const longestKept = time.Hour

// notYetValid is an error about a token that holds after wait. A denial would be
// kept by a gateway when it no longer is true, so it is one only where the wait
// is longer than that.
func notYetValid(wait time.Duration) error {
	e := &guard.Error{Kind: guard.Unauthenticated, Code: codeNotYetValid, Detail: "The token is not valid yet."}
	if wait <= longestKept {
		e.Kind, e.RetryAfter = guard.Unavailable, wait
	}
	return e
}

// unavailable is an error about the keys: the token may be a good one.
func unavailable(cause error) *guard.Error {
	return &guard.Error{
		Kind: guard.Unavailable, Code: codeKeys,
		Detail: "The keys that tokens are verified with cannot be had at the moment.",
		Err:    cause,
	}
}

// notAsked is an error about a kid that is not to be asked for before wait is
// over: the token may be a good one, of a new key. cause is why there was no
// answer the last time, nil if there was one.
func notAsked(wait time.Duration, cause error) error {
	if cause == nil {
		cause = reason.New("the kid is not known, and too many others were asked for just now")
	}
	err := unavailable(cause)
	err.RetryAfter = wait
	return err
}

// asRefusal makes what a reader of JSON returned one about the token. Text of
// the decoder's own is dropped, as it can have names of members in it.
func asRefusal(err error, detail string) error {
	if err == nil {
		return nil
	}
	var refused *guard.Error
	if errors.As(err, &refused) {
		return err
	}
	return refuse(codeMalformed, detail)
}
