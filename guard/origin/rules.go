package origin

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer"
)

// Account returns a rule that the event comes from one of the AWS accounts: the owner
// of the API, the queue, the stream, the topic, the target group or the Lattice
// service, or the account that EventBridge names. It refuses events of S3, which have
// no account: use [BucketOwner].
//
// A function URL with the auth type NONE reports the account "anonymous", so the rule
// refuses it. AWS's page says that it reports the owner.
//
// Account panics without an id, and for one that has not 12 digits.
func Account(ids ...string) Rule {
	return oneOf("Account", ids, `[0-9]{12}`, func(o *origin) []string { return o.accounts })
}

// Region returns a rule that the event comes from one of the regions. An HTTP event
// has a region if it was called by a domain of AWS's own, or comes from a load
// balancer or Lattice. The rule refuses an event from a custom domain.
//
// Region panics without a name, and for one that is not like "eu-central-1".
func Region(names ...string) Rule {
	return oneOf("Region", names, `[a-z]+(-[a-z]+)+-[0-9]+`, func(o *origin) []string { return o.regions })
}

// API returns a rule that the request comes through one of the APIs or function URLs. An
// id is like "a1b2c3d4e5": the first part of the domain that AWS has given to the API.
// Requests to a custom domain have it too. The rule refuses events of a load balancer and
// of Lattice: use [Source].
//
// API panics without an id, and for one that is not of letters and digits.
func API(ids ...string) Rule {
	return oneOf("API", ids, `[A-Za-z0-9]+`, func(o *origin) []string { return o.apis })
}

// Stage returns a rule that the request comes through one of the stages: "prod", or
// "$default" for a function URL and most HTTP APIs.
//
// Stage panics without a name, and for a malformed one.
func Stage(names ...string) Rule {
	return oneOf("Stage", names, `\$default|[A-Za-z0-9_-]+`, func(o *origin) []string { return o.stages })
}

// Domain returns a rule that the API was called by one of the domains, in any case:
// "api.example.com". It takes the name from the request context and not from the header
// Host, so it refuses events of a load balancer and Lattice.
//
// Domain panics without a name, and for one with a scheme, a port or a path.
func Domain(names ...string) Rule {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	return oneOf("Domain", lower, `[a-z0-9.-]+`, func(o *origin) []string {
		if o.request == nil || o.request.Domain() == "" {
			return nil
		}
		return []string{strings.ToLower(o.request.Domain())}
	})
}

// BucketOwner returns a rule that every bucket in an event of S3 belongs to one of the
// owners: ownerIdentity.principalId, like "A3NL1KOZZKExample". It refuses all other
// events.
//
// BucketOwner panics without an id, and for one that is not of letters and digits.
func BucketOwner(ids ...string) Rule {
	return oneOf("BucketOwner", ids, `[A-Za-z0-9]+`, func(o *origin) []string { return o.owners })
}

// VPCEndpoint returns a rule that a request to a private REST API came through one of
// the interface endpoints: "vpce-0123456789abcdef0". It refuses all other requests.
//
// VPCEndpoint panics without an id, and for one that does not begin with "vpce-".
func VPCEndpoint(ids ...string) Rule {
	return oneOf("VPCEndpoint", ids, `vpce-[A-Za-z0-9]+`, func(o *origin) []string {
		if o.request == nil || o.request.VPCEndpoint() == "" {
			return nil
		}
		return []string{o.request.VPCEndpoint()}
	})
}

// Qualified returns a rule that the function was invoked by one of the aliases or
// versions: "live", "42". Without a name it takes any alias and any version number.
// It always refuses $LATEST and an ARN without a qualifier, whose code changes with
// each upload. Leave the rule out where that is wanted, on a test stage:
//
//	if os.Getenv("STAGE") == "prod" {
//		rules = append(rules, origin.Qualified("live"))
//	}
//
// Lambda Managed Instances run "$LATEST.PUBLISHED". The rule takes it if it is named.
//
// Qualified panics for a malformed name.
func Qualified(names ...string) Rule {
	if len(names) > 0 {
		return oneOf("Qualified", names, `\$LATEST\.PUBLISHED|[A-Za-z0-9_-]+`, (*origin).qualifier)
	}
	return Rule{judge: func(_ context.Context, o *origin) error {
		return all("Qualified", o.qualifier(), func(q string) bool { return !strings.HasPrefix(q, "$") })
	}}
}

// qualifier returns the last part of the ARN arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER.
func (o *origin) qualifier() []string {
	parts := strings.Split(o.lambda.InvokedFunctionArn, ":")
	if len(parts) != 8 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" {
		return nil
	}
	return parts[7:]
}

// Tenant returns a rule that the function was invoked for one of the tenants. It is for
// functions with tenant isolation. A client may choose the tenant, if the API takes it
// from a header: see [TenantClaim].
//
// Tenant panics without an id, and for an empty one.
func Tenant(ids ...string) Rule {
	return oneOf("Tenant", ids, `(?s).+`, (*origin).tenant)
}

func (o *origin) tenant() []string {
	if o.lambda.TenantID == "" {
		return nil
	}
	return []string{o.lambda.TenantID}
}

// TenantClaim returns a rule that the tenant that the function was invoked for is the
// caller's: the text of that name in the Context of the grant, see
// [authorizer.GrantFrom]. List Require after the layer that authorizes.
//
// TenantClaim panics if name is empty.
func TenantClaim(name string) Rule {
	if name == "" {
		panic("origin: TenantClaim without the name of a claim")
	}
	return Rule{grant: true, judge: func(ctx context.Context, o *origin) error {
		g, ok := authorizer.GrantFrom(ctx)
		if !ok {
			return refused("TenantClaim", "there is no grant")
		}
		claim, _ := g.Context[name].(string)
		if claim == "" {
			return refused("TenantClaim", "the grant does not have the claim")
		}
		return all("TenantClaim", o.tenant(), func(id string) bool { return id == claim })
	}}
}
