package authorizer

import (
	"context"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// Verifier returns the grant of a credential, such as a bearer token or an API key.
// Verify returns the errors of a [Check]. It must be safe for concurrent use.
type Verifier interface {
	Verify(ctx context.Context, credential string) (*Grant, error)
}

// codeMissing is the code of a request without the credential that is required.
const codeMissing = "credential_missing"

// How long a credential may be, in bytes. API Gateway takes no more than 10 kB of
// headers.
const (
	maxToken = 16 << 10
	maxKey   = 1 << 10
)

// missing denies a request without a credential. challenge is for WWW-Authenticate,
// "" if there is no scheme for it.
func missing(challenge, detail string) error {
	return challenged(challenge, guard.Errorf(guard.Unauthenticated, codeMissing, detail))
}

func challenged(challenge string, err error) error {
	if challenge == "" {
		return err
	}
	return httpapi.WithHeader(err, "WWW-Authenticate", challenge)
}

// APIKey grants if v knows the value of a header. It is Unauthenticated if the header
// is missing, if v does not know it, and if it was sent twice. Package apikey has
// verifiers. APIKey panics if header is empty or v is nil.
func APIKey(header string, v Verifier) Check {
	if header == "" || v == nil {
		panic("authorizer: APIKey without a header or a verifier")
	}
	self := new(byte) // no other check has its address
	return func(ctx context.Context, r *Request) (*Grant, error) {
		key := r.Header(header)
		if key == "" {
			return nil, missing("", "An API key is required.")
		}
		if len(key) > maxKey {
			return nil, guard.Errorf(guard.Unauthenticated, "api_key_unknown", "The API key is not known.")
		}
		return r.once(self, func() (*Grant, error) { return v.Verify(ctx, key) })
	}
}

// Bearer grants if v knows the token in the header Authorization (RFC 6750, section
// 2.1). The case of the scheme makes no difference; a TOKEN authorizer and AppSync may
// leave it out. It is Unauthenticated if there is no token, if v does not know it, if
// the header was sent twice, and if the token has a character outside of token68.
// Package jwt has a verifier. Bearer panics if v is nil.
func Bearer(v Verifier) Check {
	if v == nil {
		panic("authorizer: Bearer with a nil verifier")
	}
	self := new(byte)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		token, err := bearerToken(r)
		if err != nil {
			return nil, err
		}
		g, err := r.once(self, func() (*Grant, error) { return v.Verify(ctx, token) })
		if verdictOf(err) == unauthenticated {
			err = challenged(`Bearer error="invalid_token"`, err)
		}
		return g, err
	}
}

func bearerToken(r *Request) (string, error) {
	header := r.Header("authorization")
	if header == "" {
		return "", missing("Bearer", "A bearer token is required.")
	}
	scheme, token, ok := strings.Cut(header, " ")
	switch {
	case ok && strings.EqualFold(scheme, "bearer"):
		token = strings.TrimLeft(token, " ")
	case !ok && (r.in.Format == reads.RESTToken || r.in.Format == reads.AppSync):
		token = header
	case ok && !strings.Contains(scheme, ","): // another scheme
		return "", missing("Bearer", "A bearer token is required.")
	}
	if len(token) > maxToken || !isToken68(token) {
		return "", challenged(`Bearer error="invalid_request"`,
			guard.Errorf(guard.Unauthenticated, "credential_malformed", "The header Authorization must be one bearer token."))
	}
	return token, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isToken68 follows RFC 9110, section 11.2. A comma, which joins headers that were
// sent twice, is not among its characters.
func isToken68(token string) bool {
	body := strings.TrimRight(token, "=")
	return body != "" && strings.Trim(body, letters+"0123456789-._~+/") == ""
}

// memo stores the result of verifying a credential for one decision: [Policy] runs a
// check for many routes with the same credential.
type memo struct{ answers sync.Map }

type answer struct {
	grant *Grant
	err   error
}

// once returns the stored result of find for the key, and calls find if there is
// none.
func (r *Request) once(key any, find func() (*Grant, error)) (*Grant, error) {
	if a, ok := r.memo.answers.Load(key); ok {
		return a.(answer).grant, a.(answer).err
	}
	g, err := find()
	r.memo.answers.Store(key, answer{g, err})
	return g, err
}
