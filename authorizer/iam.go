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

// IAM grants if the request was signed (SigV4) by one of principals. The gateway, the
// function URL or VPC Lattice has verified the signature: its auth type is IAM. Use it
// inside [Require], as the event of an authorizer does not have the signer.
//
// A principal is the ARN of a role or a user, "arn:aws:iam::123456789012:role/orders", or
// an account, "123456789012", for all its roles and users. Without principals IAM grants
// to any signer. It is Unauthenticated if nobody has signed, and Forbidden for another
// signer. IAM panics if a principal is anything else, such as the session of a role.
//
// The grant's principal is the ARN of the role or user. The path of a role is left out:
// the ARN of a session does not have it, and names are unique in an account. The context
// has the name of a session as "session". The caller chooses that name when it assumes
// the role, so it identifies nobody. For a Cognito identity pool, whose users share a
// role, the principal is the id of the identity, and the context has the role as "role".
func IAM(principals ...string) Check {
	principals = slices.Clone(principals)
	for i, p := range principals {
		if isAccount(p) {
			continue
		}
		s, ok := parseSigner(p)
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
		s, ok := parseSigner(who.ARN)
		if len(principals) > 0 && !(ok && (slices.Contains(principals, s.arn) || slices.Contains(principals, s.account))) {
			return nil, guard.Errorf(guard.Forbidden, "signer", "%s is not allowed this.", g.Principal)
		}
		return g, nil
	}
}

// signer is a role, a user or an account.
type signer struct {
	arn     string // without the path of a role
	account string
	session string // of a role that was assumed
}

// parseSigner parses an ARN of IAM or STS. It reports false for anything but a role, its
// session, a user and a root. VPC Lattice writes a session with iam.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
func parseSigner(arn string) (signer, bool) {
	parts := strings.SplitN(arn, ":", 6) // arn:partition:service:region:account:resource
	if len(parts) < 6 || parts[0] != "arn" || !isPartition(parts[1]) || parts[3] != "" || !isAccount(parts[4]) {
		return signer{}, false
	}
	service, resource := parts[2], parts[5]
	path := strings.Split(resource, "/")
	kind, name := path[0], path[len(path)-1]
	if strings.ContainsAny(resource, "*?") || strings.HasPrefix(resource, kind+"//") {
		return signer{}, false
	}
	role := "arn:" + parts[1] + ":iam::" + parts[4] + ":role/"
	switch {
	case kind == "assumed-role" && len(path) == 3 && (service == "sts" || service == "iam"):
		return signer{role + path[1], parts[4], name}, isName(path[1]) && isName(name)
	case service == "iam" && kind == "role" && len(path) > 1:
		return signer{arn: role + name, account: parts[4]}, isName(name)
	case service == "iam" && (kind == "user" && len(path) > 1 && isName(name) || resource == "root"):
		return signer{arn: arn, account: parts[4]}, true
	}
	return signer{}, false
}

func isPartition(text string) bool {
	rest, ok := strings.CutPrefix(text, "aws")
	return ok && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz-") == ""
}

func isAccount(text string) bool { return len(text) == 12 && strings.Trim(text, "0123456789") == "" }

// isName follows the rules for names of roles, users and sessions.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func isName(text string) bool {
	return text != "" && strings.Trim(text, letters+"0123456789_+=,.@-") == ""
}

var errNotSigned = reason.New("authorizer: the gateway has not said who signed the request")

func signerGrant(who *request.IAM) (*Grant, error) {
	if who == nil || who.ARN == "" && who.CognitoIdentityID == "" {
		return nil, errNotSigned
	}
	g := &Grant{Principal: who.ARN, Context: map[string]any{}} // also for a federated user
	s, known := parseSigner(who.ARN)
	if known {
		g.Principal = s.arn
	}
	switch {
	case who.CognitoIdentityID != "":
		g.Principal = who.CognitoIdentityID
		if known {
			g.Context["role"] = s.arn
		}
	case known && s.session != "":
		g.Context["session"] = s.session
	}
	if who.AccountID != "" {
		g.Context["account"] = who.AccountID
	}
	return g, nil
}
