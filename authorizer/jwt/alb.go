package jwt

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// A loadBalancer signs tokens about users that it has signed in.
type loadBalancer struct {
	arn  string
	keys string // URI that a kid is appended to
}

// ALB returns a Config for the header x-amzn-oidc-data, in which an Application
// Load Balancer passes on a user that it has signed in. It accepts the load
// balancer with that ARN only: anybody can set up one with the same issuer. The
// user must come from the issuer, through one of the clients.
//
// The form differs from other JWTs: base64 has padding, and issuer, client
// and expiry are in the header. Keys are fetched from the load balancer's region.
// ALB panics if arn is not the ARN of an Application Load Balancer.
func ALB(arn, issuer string, clients ...string) Config {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "elasticloadbalancing" ||
		!isRegion(parts[3]) || !strings.HasPrefix(parts[5], "loadbalancer/app/") {
		panic("jwt: ALB: the ARN must name an Application Load Balancer")
	}
	region := parts[3]
	keys := "https://public-keys.auth.elb." + region + "." + domainOf(region) + "/"
	if strings.HasPrefix(region, "us-gov-") {
		keys = "https://s3-" + region + ".amazonaws.com/aws-elb-public-keys-prod-" + region + "/"
	}
	return Config{Issuer: issuer, Clients: clients, loadBalancer: &loadBalancer{arn: arn, keys: keys}}
}

func (b *loadBalancer) checkConfig(c *Config) error {
	if c.Keys != (Keys{}) || len(c.Algorithms) > 0 || len(c.Types) > 0 || c.ClientClaim != "" {
		return reason.New("leave Keys, Algorithms, Types and ClientClaim empty for a load balancer")
	}
	return nil
}

// checkBalancer checks the members of a load balancer's header.
func (v *Verifier) checkBalancer(h *header) error {
	switch {
	case h.text("signer") != v.config.loadBalancer.arn:
		return refuse(codeIssuer, "The token was not signed by the load balancer.")
	case !v.config.UnsafeAnyIssuer && h.text("iss") != v.config.Issuer:
		return refuse(codeIssuer, "The token is from another issuer.")
	case len(h.kid) != 36 || !consistsOf(h.kid, "0123456789abcdefABCDEF-"): // it becomes part of a URI
		return refuse(codeMalformed, "The token's kid must be a UUID.")
	}
	return nil
}

// completeFromHeader sets claims that a load balancer puts into the header. A claim
// that is in both places must be valid in both. A header without exp leaves the
// claims without it, which is refused.
func completeFromHeader(c *Claims, h *header) {
	exp, _ := numericDate(h.members["exp"])
	if c.Expires.IsZero() || exp.Before(c.Expires) {
		c.Expires = exp
	}
	if c.Issuer == "" {
		c.Issuer = h.text("iss")
	}
	c.ClientID = h.text("client")
}
