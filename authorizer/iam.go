package authorizer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
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
		if isAccount(p) {
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

// signer is who an ARN of IAM names.
type signer struct {
	arn     string // of the role, without its path, or of the user
	account string
	session string // of a role that was assumed
}

// signerOf is false for an ARN of neither a role, its session, nor a user. A
// session is of sts; the guide of VPC Lattice writes it with iam.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
func signerOf(arn string) (signer, bool) {
	parts := strings.SplitN(arn, ":", 6) // arn:partition:service:region:account:resource
	if len(parts) < 6 || parts[0] != "arn" || !isPartition(parts[1]) || parts[3] != "" || !isAccount(parts[4]) {
		return signer{}, false
	}
	partition, service, account := parts[1], parts[2], parts[4]
	kind, name, _ := strings.Cut(parts[5], "/")
	role := fmt.Sprintf("arn:%s:iam::%s:role/", partition, account)
	switch {
	case kind == "assumed-role" && (service == "sts" || service == "iam"):
		name, session, _ := strings.Cut(name, "/")
		return signer{role + name, account, session}, isName(name) && isName(session)
	case service != "iam":
		return signer{}, false
	case parts[5] == "root":
		return signer{arn: arn, account: account}, true
	case kind == "role":
		name, ok := withoutPath(name)
		return signer{arn: role + name, account: account}, ok
	case kind == "user":
		_, ok := withoutPath(name)
		return signer{arn: arn, account: account}, ok
	default:
		return signer{}, false
	}
}

func isPartition(text string) bool {
	rest, ok := strings.CutPrefix(text, "aws")
	return ok && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz-") == ""
}

func isAccount(text string) bool { return len(text) == 12 && strings.Trim(text, "0123456789") == "" }

// withoutPath returns the name of a role or a user.
func withoutPath(name string) (string, bool) {
	i := strings.LastIndexByte(name, '/')
	return name[i+1:], i != 0 && !strings.ContainsAny(name[:i+1], "*?") && isName(name[i+1:])
}

// isName reports whether IAM and STS take a name.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("_+=,.@-", c)
	})
}

var errNotSigned = reason.New("authorizer: the gateway has not said who signed the request")

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
