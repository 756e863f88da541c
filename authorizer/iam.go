package authorizer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// IAM grants when the request was signed (SigV4) by one of principals, and the
// gateway or the function URL has verified that: the route has IAM authorization.
// A principal is the ARN of a user or a role, "arn:aws:iam::123456789012:role/orders",
// or an account, "123456789012". Without principals any signer will do that IAM
// lets in. It is Forbidden for others, Unauthenticated where nobody has signed.
// What is no principal panics. It belongs inside [Require]: an authorizer is not
// told who has signed.
//
// The principal of the grant is the ARN of the user or the role. A role that was
// assumed has a session besides, whose name its caller chooses: it is the
// context's "session", and nobody's identity. The ARN of a session leaves the
// role's path out, so roles are compared by account and name, which are unique.
// Who signs in through a Cognito identity pool has the pool's role in common with
// all others, and is the identity's id.
func IAM(principals ...string) Check {
	principals = slices.Clone(principals)
	for i, p := range principals {
		if !account.MatchString(p) {
			role, err := signerOf(p)
			if err != nil {
				panic(fmt.Sprintf("authorizer: IAM with %q, which is neither an account nor the ARN of a user or a role", p))
			}
			principals[i] = role.arn
		}
	}
	return func(_ context.Context, r *Request) (*Grant, error) {
		who := r.in.Authorized().IAM
		if who == nil {
			return nil, missing("AWS4-HMAC-SHA256", "The request must be signed.")
		}
		g, err := signerGrant(who)
		if err != nil {
			return nil, err
		}
		role, err := signerOf(who.ARN)
		if len(principals) > 0 && (err != nil || !slices.Contains(principals, role.arn) && !slices.Contains(principals, role.account)) {
			return nil, guard.Errorf(guard.Forbidden, "signer", "%s is not allowed this.", g.Principal)
		}
		return g, nil
	}
}

var account = regexp.MustCompile(`^[0-9]{12}$`)

// signer is who an ARN of IAM names.
type signer struct {
	arn     string // of the user or the role, without a role's path
	account string
	session string // of a role that was assumed
}

func signerOf(arn string) (signer, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" && parts[2] != "sts" || !account.MatchString(parts[4]) {
		return signer{}, errors.New("authorizer: not the ARN of a user or a role")
	}
	s := signer{account: parts[4], arn: arn}
	names := strings.Split(parts[5], "/")
	switch {
	case parts[2] == "sts" && names[0] == "assumed-role" && len(names) == 3:
		s.session = names[2]
		s.arn = fmt.Sprintf("arn:%s:iam::%s:role/%s", parts[1], s.account, names[1])
	case parts[2] == "iam" && names[0] == "role" && len(names) > 1:
		s.arn = fmt.Sprintf("arn:%s:iam::%s:role/%s", parts[1], s.account, names[len(names)-1])
	case parts[2] == "iam" && (names[0] == "user" && len(names) > 1 || parts[5] == "root"):
	default:
		return signer{}, errors.New("authorizer: not the ARN of a user or a role")
	}
	return s, nil
}

// signerGrant makes a grant of who has signed a request.
func signerGrant(who *request.IAM) (*Grant, error) {
	role, err := signerOf(who.ARN)
	g := &Grant{Principal: role.arn, Context: map[string]any{}}
	if role.session != "" {
		g.Context["session"] = role.session
	}
	switch {
	case who.CognitoIdentityID != "":
		g.Principal = who.CognitoIdentityID
		if role.arn != "" {
			g.Context["role"] = role.arn
		}
		delete(g.Context, "session")
	case err != nil: // a service, or a federated user
		if who.ARN == "" {
			return nil, errors.New("authorizer: the gateway has not said who signed the request")
		}
		g.Principal = who.ARN
	}
	if who.AccountID != "" {
		g.Context["account"] = who.AccountID
	}
	return g, nil
}
