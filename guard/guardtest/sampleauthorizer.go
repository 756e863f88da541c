package guardtest

// authorizerResult is what the gateway's authorizer told about a request.
type authorizerResult struct {
	kind    authorizerKind
	claims  map[string]string
	scopes  []string
	context map[string]any
	arn     string
}

type authorizerKind byte

const (
	byNone authorizerKind = iota
	byJWT
	byLambda
	byIAM
)

// on puts the result where the gateway does.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (a authorizerResult) on(e Event, g gateway) Event {
	const place = "/requestContext/authorizer"
	if (g == functionURL || g == vpcLattice) && (a.kind == byJWT || a.kind == byLambda) {
		panic("guardtest: HTTPEvent: a function URL and VPC Lattice have no authorizer but IAM")
	}
	format1 := g == httpAPI1 || g == restAPI
	switch a.kind {
	case byJWT:
		told := map[string]any{"claims": a.claims, "scopes": a.scopes}
		if g == restAPI {
			delete(told, "scopes")
		}
		if !format1 {
			told = map[string]any{"jwt": told}
		}
		return e.Set(place, told)
	case byLambda:
		if format1 {
			return e.Set(place, a.context)
		}
		return e.Set(place, map[string]any{"lambda": a.context})
	case byIAM:
		if format1 {
			return a.identity1(e)
		}
		if g == vpcLattice {
			return a.latticeIdentity(e)
		}
		if g == functionURL {
			e = e.Set("/requestContext/accountId", AccountID)
		}
		return e.Set(place, map[string]any{"iam": a.caller().iam()})
	default:
		return e
	}
}

// identity1 is the identity in format 1.0, beside the client's address.
func (a authorizerResult) identity1(e Event) Event {
	const place = "/requestContext/identity"
	address, agent := e.Get(place+"/sourceIp"), e.Get(place+"/userAgent")
	return e.Set(place, a.caller().identity()).Set(place+"/sourceIp", address).Set(place+"/userAgent", agent)
}

// latticeIdentity is the identity in an event of VPC Lattice, beside the VPC.
func (a authorizerResult) latticeIdentity(e Event) Event {
	const place = "/requestContext/identity"
	_ = a.caller() // that it is an ARN
	return e.Set(place+"/type", "AWS_IAM").Set(place+"/principal", a.arn)
}

// caller panics for what is not an ARN.
func (a authorizerResult) caller() *IAMCaller {
	c := &IAMCaller{AccessKeyID: exampleAccessKey, ARN: a.arn}
	if c.account() == "" {
		panic("guardtest: HTTPEvent: " + a.arn + " is not an ARN")
	}
	return c
}
