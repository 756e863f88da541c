package jwt

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A loadBalancer is one that signs what it knows of a user.
type loadBalancer struct {
	arn  string
	keys string // URI that a kid is appended to
}

// ALB is for what an Application Load Balancer tells of a user it has signed
// in, in the header x-amzn-oidc-data. The load balancer is the one of that ARN
// and no other: anybody can have a load balancer that names the same issuer.
// The user comes from the issuer, by way of one of the clients.
//
// Such a token is not quite a JWT: its base64 is padded, and issuer, client and
// expiry are in its header. Its keys have a host of their own, in the load
// balancer's region. It panics when arn is not that of a load balancer.
func ALB(arn, issuer string, clients ...string) Config {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "elasticloadbalancing" ||
		!isRegion(parts[3]) || !strings.HasPrefix(parts[5], "loadbalancer/app/") {
		panic("jwt: ALB: the ARN must be one of an application load balancer")
	}
	region := parts[3]
	keys := "https://public-keys.auth.elb." + region + "." + domain(region) + "/"
	if strings.HasPrefix(region, "us-gov-") {
		keys = "https://s3-" + region + ".amazonaws.com/aws-elb-public-keys-prod-" + region + "/"
	}
	return Config{Issuer: issuer, Clients: clients, loadBalancer: &loadBalancer{arn: arn, keys: keys}}
}

func (b *loadBalancer) problem(c *Config) error {
	if c.Keys != (Keys{}) || len(c.Algorithms) > 0 || len(c.Types) > 0 || c.ClientClaim != "" {
		return reason.New("a load balancer's keys, algorithm, type and client are given")
	}
	return nil
}

// check judges what the claims do not have too.
func (b *loadBalancer) check(h *header, v *Verifier) error {
	switch {
	case h.signer != b.arn:
		return refuse(codeIssuer, "The token was not signed by the load balancer.")
	case !v.anyIssuer && h.issuer != v.issuer:
		return refuse(codeIssuer, "The token is from another issuer.")
	case !isKeyID(h.kid):
		return refuse(codeMalformed, "The token's kid is not one of a load balancer.")
	}
	return nil
}

// isKeyID reports whether kid is like a UUID: it becomes part of a URI.
func isKeyID(kid string) bool {
	for _, c := range []byte(kid) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == '-') {
			return false
		}
	}
	return len(kid) == 36
}

// complete takes from the header what the claims leave out. Where both have
// it, both must hold.
func (b *loadBalancer) complete(c *Claims, h *header) error {
	exp, ok := numericDate(h.exp)
	if !ok {
		return refuse(codeClaims, "The token's header must have exp.")
	}
	if c.Expires.IsZero() || exp.Before(c.Expires) {
		c.Expires = exp
	}
	if c.Issuer == "" {
		c.Issuer = h.issuer
	}
	c.ClientID = h.client
	return nil
}
