package guardtest

// authorizerResult is what the gateway's authorizer told about a request.
type authorizerResult struct {
	kind    authorizerKind
	claims  map[string]string
	scopes  []string
	context map[string]any
	caller  IAMCaller
}

type authorizerKind byte

const (
	byNone authorizerKind = iota
	byJWT
	byLambda
	byIAM
)

// tell notes in the request what the gateway's authorizer would.
func (a authorizerResult) tell(req *request) {
	switch a.kind {
	case byJWT:
		req.token = &jwtToken{a.claims, a.scopes}
	case byIAM:
		req.caller = &a.caller
	}
}

// on puts into the event what the gateway's own types have no place for, and
// panics for what the gateway cannot tell.
func (a authorizerResult) on(e Event, g gateway) Event {
	if (g == functionURL || g == vpcLattice) && (a.kind == byJWT || a.kind == byLambda) {
		panic("guardtest: HTTPEvent: a function URL and VPC Lattice have no authorizer but IAM")
	}
	if a.kind == byIAM && a.caller.account() == "" {
		panic("guardtest: HTTPEvent: " + a.caller.ARN + " is not an ARN")
	}
	const authorizer, identity = "/requestContext/authorizer", "/requestContext/identity"
	switch {
	case a.kind == byIAM && g == vpcLattice:
		return e.Set(identity+"/type", "AWS_IAM").Set(identity+"/principal", a.caller.ARN)
	case a.kind == byLambda && (g == httpAPI1 || g == restAPI):
		return e.Set(authorizer, a.context)
	case a.kind == byLambda:
		return e.Set(authorizer, map[string]any{"lambda": a.context})
	default:
		return e
	}
}
