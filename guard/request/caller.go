package request

import (
	"cmp"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Caller is the identity that the gateway has authenticated. Two callers differ in
// kind or in parts. The zero Caller means no authentication.
type Caller struct {
	Kind  string
	Parts []string
	// Shared is true for an API key and a certificate. They may belong to an
	// application with many users, whom the gateway cannot distinguish.
	Shared bool
}

// ErrNameless is the error for an authorizer's context without a principal.
// Different callers would have the same name.
var ErrNameless = reason.New("the authorizer's context has no principal (sub, principalId, userArn, principal)")

// Caller returns the caller that the gateway has authenticated. That is a token's
// subject, a Lambda authorizer's principal, an IAM or Cognito identity, the user of
// a load balancer's login, a client certificate or an API key. It is the zero
// Caller if the event has none. The error is [ErrNameless].
func (r *Request) Caller() (Caller, error) {
	switch a := r.Authorized(); {
	case a.Claims != nil:
		return subject(a.Claims)
	case len(a.Lambda) > 0:
		return named(a.Lambda)
	case a.IAM != nil:
		// All users of one identity pool have the ARN of its role.
		who := cmp.Or(a.IAM.ARN, a.IAM.Caller)
		if who == "" && a.IAM.CognitoIdentityID == "" {
			return Caller{}, ErrNameless
		}
		return Caller{Kind: "iam", Parts: []string{who, a.IAM.CognitoIdentityID}}, nil
	}
	if r.trigger == ALB {
		return r.signedInByBalancer(), nil
	}
	if c := r.Certificate(); c != nil {
		return c.holder(), nil
	}
	if id := Text(jsonObject(r.value(identity))["apiKeyId"]); id != "" {
		return Caller{Kind: "key", Parts: []string{id}, Shared: true}, nil
	}
	return Caller{}, nil
}

// subject returns the subject and the issuer of a token.
func subject(claims map[string]any) (Caller, error) {
	who := cmp.Or(Text(claims["sub"]), Text(claims["client_id"]))
	if who == "" {
		return Caller{}, ErrNameless
	}
	return Caller{Kind: "jwt", Parts: []string{Text(claims["iss"]), who}}, nil
}

// named returns the principal of a Lambda authorizer. Some authorizers set the
// principal "user" for everybody, and put the real one into the context.
func named(context map[string]any) (Caller, error) {
	switch who, sub := Text(context["principalId"]), Text(context["sub"]); {
	case who == "" && sub == "":
		return Caller{}, ErrNameless
	case who == "" || sub == "" || who == sub:
		return Caller{Kind: "lambda", Parts: []string{cmp.Or(who, sub)}}, nil
	default:
		return Caller{Kind: "lambda for", Parts: []string{who, sub}}, nil
	}
}

// signedInByBalancer returns the user that a load balancer has authenticated by
// OpenID Connect, or the client certificate, which the balancer may pass on
// unverified.
//
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
func (r *Request) signedInByBalancer() Caller {
	if who := r.Header("x-amzn-oidc-identity"); who != "" {
		return Caller{Kind: "oidc", Parts: []string{who}}
	}
	const mtls = "x-amzn-mtls-clientcert"
	c := Certificate{
		PEM: cmp.Or(r.Header(mtls), r.Header(mtls+"-leaf")), SubjectDN: r.Header(mtls + "-subject"),
		IssuerDN: r.Header(mtls + "-issuer"), SerialNumber: r.Header(mtls + "-serial-number"),
	}
	return c.holder()
}

// HasCredentials reports whether the request carries credentials, or a caller that
// the gateway has authenticated.
func (r *Request) HasCredentials() bool {
	switch {
	case r.Header("authorization") != "", r.Header("cookie") != "", r.has(authorizerContext):
		return true
	case r.trigger == VPCLattice:
		return r.text(principal) != "" && r.is(principalType, "AWS_IAM")
	default:
		return r.trigger == ALB && r.Header("x-amzn-oidc-identity") != ""
	}
}

// Certificate is the certificate of a client, verified by the gateway. Names and
// times are in the forms that the gateway uses.
type Certificate struct {
	PEM          string
	SubjectDN    string
	IssuerDN     string
	SerialNumber string
	NotBefore    string
	NotAfter     string
}

// holder returns the caller of a certificate: by its subject, else its serial
// number, else its text.
func (c *Certificate) holder() Caller {
	for _, by := range []struct{ kind, name string }{
		{"certificate", c.SubjectDN}, {"certificate number", c.SerialNumber}, {"certificate text", c.PEM},
	} {
		if by.name != "" {
			return Caller{Kind: by.kind, Parts: []string{c.IssuerDN, by.name}, Shared: true}
		}
	}
	return Caller{}
}

// Certificate returns the certificate of the client, nil without mutual TLS.
func (r *Request) Certificate() *Certificate {
	where := identity // in format 1.0
	if r.has(authentication) {
		where = authentication
	}
	cert := inner(jsonObject(r.value(where)), "clientCert")
	validity := inner(cert, "validity")
	c := &Certificate{
		PEM: Text(cert["clientCertPem"]), SubjectDN: Text(cert["subjectDN"]), IssuerDN: Text(cert["issuerDN"]),
		SerialNumber: Text(cert["serialNumber"]), NotBefore: Text(validity["notBefore"]), NotAfter: Text(validity["notAfter"]),
	}
	if c.PEM == "" && c.SubjectDN == "" {
		return nil
	}
	return c
}
