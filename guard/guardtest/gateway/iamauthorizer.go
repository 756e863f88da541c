package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// IAMAuthorizer is the authorization AWS_IAM of an API or a function URL. It
// verifies the Signature Version 4 in the Authorization header, for the service
// execute-api or lambda in us-east-1. A signature in the query is not emulated.
//
//   - A request without a signature by one of the callers within five minutes is 403.
//     Only a REST API says why.
//   - A caller may call everything: policies are not emulated.
//   - The function finds the caller in requestContext.authorizer.iam in format 2.0,
//     and in requestContext.identity in format 1.0 and of a REST API.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
// and https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
type IAMAuthorizer struct {
	// Callers may call. At least one is needed.
	Callers []IAMCaller

	// Unsigned takes every request for one of the first caller, who needs no
	// credentials. It is for tests of what a function does with the caller.
	Unsigned bool

	// Now is the clock for signatures; [time.Now] when nil. It is called concurrently.
	Now func() time.Time
}

// IAMCaller is a user or a role in IAM, with the credentials that sign requests.
type IAMCaller struct {
	AccessKeyID     string
	SecretAccessKey string

	// SessionToken of temporary credentials has to be in the header
	// X-Amz-Security-Token; none when empty.
	SessionToken string

	// ARN of a user, "arn:aws:iam::123456789012:user/jane", or of a role's session,
	// "arn:aws:sts::123456789012:assumed-role/shop/session-1".
	ARN string

	// ID is the unique one. When empty it is made up: AIDA… for a user, AROA… and the
	// session's name for a role.
	ID string

	// OrgID of the caller's organization; none when empty.
	OrgID string

	// Cognito is set for credentials of an identity pool.
	Cognito *CognitoIdentity
}

// CognitoIdentity is an identity in a Cognito identity pool.
type CognitoIdentity struct {
	ID     string // "us-east-1:3f291106-…"
	PoolID string

	// AMR says how the identity was proved: "authenticated" or "unauthenticated",
	// then the providers, "cognito-idp.us-east-1.amazonaws.com/us-east-1_p" and
	// "cognito-idp.us-east-1.amazonaws.com/us-east-1_p:CognitoSignIn:SUB".
	AMR []string
}

// IAM's identifiers, those that AWS uses in its documentation.
const (
	exampleUserID = "AIDACKCEVSQ6C2EXAMPLE"
	exampleRoleID = "AROACKCEVSQ6C2EXAMPLE"
)

// iamGate lets signed requests pass.
type iamGate struct {
	IAMAuthorizer
	service string
}

func newIAMGate(a IAMAuthorizer, service string) (*iamGate, error) {
	if a.Now == nil {
		a.Now = time.Now
	}
	if len(a.Callers) == 0 {
		return nil, errors.New("gateway: IAM authorization needs a caller")
	}
	seen := map[string]bool{}
	for _, c := range a.Callers {
		switch {
		case !a.Unsigned && (c.AccessKeyID == "" || c.SecretAccessKey == ""):
			return nil, fmt.Errorf("gateway: caller %q has no credentials", c.ARN)
		case c.account() == "":
			return nil, fmt.Errorf("gateway: caller %q is not an ARN of IAM", c.ARN)
		case seen[c.AccessKeyID]:
			return nil, fmt.Errorf("gateway: two callers have the access key %s", c.AccessKeyID)
		}
		seen[c.AccessKeyID] = true
	}
	return &iamGate{a, service}, nil
}

func (g *iamGate) admit(_ context.Context, req *event.Request) error {
	if g.Unsigned {
		req.Caller = g.Callers[0].caller()
		return nil
	}
	authorization := req.HTTP.Header.Values("Authorization")
	if len(authorization) == 0 {
		return unsigned("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	s, ok := parseSignature(authorization[0])
	at, err := time.Parse(amzDate, req.HTTP.Header.Get("X-Amz-Date"))
	if len(authorization) > 1 || !ok || err != nil {
		return unsigned("IncompleteSignatureException", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, and the request the header 'X-Amz-Date'.")
	}
	caller, ok := g.caller(s.accessKey, req.HTTP.Header.Get("X-Amz-Security-Token"))
	if !ok {
		return unsigned("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if want := at.Format("20060102") + "/" + apiRegion + "/" + g.service + "/aws4_request"; s.scope != want {
		return unsigned("InvalidSignatureException", "Credential should be scoped to "+want+".")
	}
	if skew := g.Now().Sub(at).Abs(); skew > maxSkew {
		return unsigned("InvalidSignatureException", "Signature expired or not yet current: "+at.Format(amzDate))
	}
	if !s.matches(req, caller, g.service, at) {
		return unsigned("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	req.Caller = caller.caller()
	return nil
}

// unsigned is in the words of a REST API.
// See https://repost.aws/knowledge-center/api-gateway-iam-auth-signature-mismatch
// and https://github.com/floci-io/floci/pull/2895
func unsigned(errorType, message string) error {
	return &refusal{status: http.StatusForbidden, errorType: errorType, message: message}
}

func (g *iamGate) caller(accessKey, token string) (IAMCaller, bool) {
	for _, c := range g.Callers {
		if c.AccessKeyID == accessKey && c.SessionToken == token {
			return c, true
		}
	}
	return IAMCaller{}, false
}

// account is the fifth part of an ARN, "" of what is none.
func (c IAMCaller) account() string {
	parts := strings.SplitN(c.ARN, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[4]
}

// id is the unique one, of a role with the session's name.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func (c IAMCaller) id() string {
	if c.ID != "" {
		return c.ID
	}
	if _, session, ok := strings.Cut(c.ARN, ":assumed-role/"); ok {
		return exampleRoleID + ":" + session[strings.LastIndex(session, "/")+1:]
	}
	return exampleUserID
}

// caller is the caller as events show it.
func (c IAMCaller) caller() *event.Caller {
	shown := &event.Caller{AccessKey: c.AccessKeyID, Account: c.account(), ID: c.id(), ARN: c.ARN, OrgID: c.OrgID}
	if c.Cognito != nil {
		shown.PoolID, shown.IdentityID, shown.AMR = c.Cognito.PoolID, c.Cognito.ID, c.Cognito.AMR
	}
	return shown
}
