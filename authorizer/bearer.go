package authorizer

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// codeMissing is the code of a request without the credential that is asked for.
const codeMissing = "credential_missing"

// maxCredential bounds a header that holds a credential, in bytes; the gateway
// takes no more than 10 kB of headers.
const maxCredential = 16 << 10

// missing is the denial of a request without a credential; challenge is for
// WWW-Authenticate, "" where there is no scheme for it.
func missing(challenge, detail string) error {
	return challenged(challenge, guard.Errorf(guard.Unauthenticated, codeMissing, detail))
}

func challenged(challenge string, err error) error {
	if challenge == "" {
		return err
	}
	return httpapi.WithHeader(err, "WWW-Authenticate", challenge)
}

// Bearer grants to whoever the token in the header Authorization was issued to, as
// v finds out (RFC 6750, section 2.1). The scheme's case makes no difference; a TOKEN
// authorizer and AppSync may pass on the token without it. It is Unauthenticated if
// there is no token, if v does not know it, if the header was sent twice, and if the
// token has a character that none has. Bearer panics if v is nil.
func Bearer(v Verifier) Check {
	if v == nil {
		panic("authorizer: Bearer with a nil verifier")
	}
	self := new(byte) // two of them have two addresses
	return func(ctx context.Context, r *Request) (*Grant, error) {
		token, err := bearerToken(r)
		if err != nil {
			return nil, err
		}
		g, err := r.once(self, func() (*Grant, error) { return v.Verify(ctx, token) })
		switch {
		case err == nil && g == nil:
			return nil, errNoAnswer
		case verdictOf(err) == unauthenticated:
			return nil, challenged(`Bearer error="invalid_token"`, err)
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
	case !ok && (r.in.format == RESTToken || r.in.format == GraphQL):
		token = header
	case ok && !strings.Contains(scheme, ","): // another scheme
		return "", missing("Bearer", "A bearer token is required.")
	}
	if len(token) > maxCredential || !isToken68(token) {
		return "", challenged(`Bearer error="invalid_request"`,
			guard.Errorf(guard.Unauthenticated, "credential_malformed", "The header Authorization must be one bearer token."))
	}
	return token, nil
}

// isToken68 follows RFC 9110, section 11.2. A comma, which joins headers that
// were sent twice, is not among its characters.
func isToken68(token string) bool {
	body := strings.TrimRight(token, "=")
	for i := range len(body) {
		c := body[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return body != ""
}
