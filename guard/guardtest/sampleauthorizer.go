package guardtest

import "strings"

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

// IAM's identifiers, those that AWS uses in its documentation.
const (
	exampleAccessKey = "AKIAIOSFODNN7EXAMPLE"
	exampleUserID    = "AIDACKCEVSQ6C2EXAMPLE"
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
		return e.Set(place, map[string]any{"iam": map[string]any{
			"accessKey":       exampleAccessKey,
			"accountId":       a.account(),
			"callerId":        exampleUserID,
			"cognitoIdentity": nil,
			"principalOrgId":  nil,
			"userArn":         a.arn,
			"userId":          exampleUserID,
		}})
	default:
		return e
	}
}

// identity1 is the identity in format 1.0, beside the client's address.
func (a authorizerResult) identity1(e Event) Event {
	const place = "/requestContext/identity"
	return e.
		Set(place+"/accessKey", exampleAccessKey).
		Set(place+"/accountId", a.account()).
		Set(place+"/caller", exampleUserID).
		Set(place+"/user", exampleUserID).
		Set(place+"/userArn", a.arn)
}

// latticeIdentity is the identity in an event of VPC Lattice, beside the VPC.
func (a authorizerResult) latticeIdentity(e Event) Event {
	const place = "/requestContext/identity"
	_ = a.account() // that it is an ARN
	return e.Set(place+"/type", "AWS_IAM").Set(place+"/principal", a.arn)
}

// account is the fifth part of an ARN.
func (a authorizerResult) account() string {
	parts := strings.SplitN(a.arn, ":", 6)
	if len(parts) < 6 {
		panic("guardtest: HTTPEvent: " + a.arn + " is not an ARN")
	}
	return parts[4]
}
