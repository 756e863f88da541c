package authorizer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// IAM grants when the request was signed (SigV4) by one of principals, and the
// gateway, the function URL or VPC Lattice has verified that: the route has IAM
// authorization. It belongs inside [Require], as an authorizer is not told who has
// signed.
//
// A principal is the ARN of a role or a user, "arn:aws:iam::123456789012:role/orders",
// or an account, "123456789012", for all roles and users of it. Without principals
// any signer will do that IAM lets in. The error is Unauthenticated where nobody
// has signed, and Forbidden for another signer. IAM panics if a principal is
// anything else, also the session of a role.
//
// The grant's principal is the ARN of the role or user. The name of a role's
// session is the context's "session"; whoever assumes the role chooses it, so it
// identifies nobody. The ARN of a session leaves out the role's path, so roles are
// compared by partition, account and name, which are unique. Who signs in through a
// Cognito identity pool shares a role with all others: the grant's principal is the
// id of the identity, and the context's "role" is the role.
func IAM(principals ...string) Check {
	principals = slices.Clone(principals)
	for i, p := range principals {
		if accountID.MatchString(p) {
			continue
		}
		s, ok := signerOf(p)
		if !ok || s.session != "" {
			panic(fmt.Sprintf("authorizer: IAM with %q, which is neither an account nor the ARN of a role or a user", p))
		}
		principals[i] = s.arn
	}
	return func(_ context.Context, r *Request) (*Grant, error) {
		who := r.in.Authorized().IAM
		g, err := signerGrant(who)
		if err != nil {
			return nil, missing("AWS4-HMAC-SHA256", "The request must be signed.")
		}
		s, ok := signerOf(who.ARN)
		if len(principals) > 0 && !(ok && (slices.Contains(principals, s.arn) || slices.Contains(principals, s.account))) {
			return nil, guard.Errorf(guard.Forbidden, "signer", "%s is not allowed this.", g.Principal)
		}
		return g, nil
	}
}

// Names are those that IAM and STS take. A session is of sts; the guide of VPC
// Lattice writes it with iam.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
var (
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	sessionARN  = regexp.MustCompile(`^arn:(aws[a-z-]*):(?:sts|iam)::([0-9]{12}):assumed-role/([\w+=,.@-]+)/([\w+=,.@-]+)$`)
	roleARN     = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:[^*?]+/)?([\w+=,.@-]+)$`)
	userRootARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(?:user/(?:[^*?]+/)?[\w+=,.@-]+|root)$`)
)

// signer is who an ARN of IAM names.
type signer struct {
	arn     string // of the role, without its path, or of the user
	account string
	session string // of a role that was assumed
}

// signerOf is false for an ARN of neither a role, its session, nor a user.
func signerOf(arn string) (signer, bool) {
	ofRole := func(partition, account, name, session string) (signer, bool) {
		return signer{fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, name), account, session}, true
	}
	if m := sessionARN.FindStringSubmatch(arn); m != nil {
		return ofRole(m[1], m[2], m[3], m[4])
	}
	if m := roleARN.FindStringSubmatch(arn); m != nil {
		return ofRole(m[1], m[2], m[3], "")
	}
	if m := userRootARN.FindStringSubmatch(arn); m != nil {
		return signer{arn: arn, account: m[1]}, true
	}
	return signer{}, false
}

var errNotSigned = errors.New("authorizer: the gateway has not said who signed the request")

// signerGrant makes a grant of who has signed a request.
func signerGrant(who *request.IAM) (*Grant, error) {
	if who == nil || who.ARN == "" && who.CognitoIdentityID == "" {
		return nil, errNotSigned
	}
	s, known := signerOf(who.ARN)
	g := &Grant{Principal: who.ARN, Context: map[string]any{}} // of a federated user, as of what is not known here
	if known {
		g.Principal = s.arn
	}
	if s.session != "" && who.CognitoIdentityID == "" {
		g.Context["session"] = s.session
	}
	if who.CognitoIdentityID != "" {
		g.Principal = who.CognitoIdentityID
		if known {
			g.Context["role"] = s.arn
		}
	}
	if who.AccountID != "" {
		g.Context["account"] = who.AccountID
	}
	return g, nil
}
