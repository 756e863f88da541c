package request

import (
	"encoding/json"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Authorized is what an authorizer of the gateway's own has said of the caller.
// Numbers are [json.Number].
type Authorized struct {
	Lambda map[string]any // the context of a Lambda authorizer
	Claims map[string]any // of the token that a JWT authorizer or a user pool has verified
	Scopes []string       // that a JWT authorizer has read out of the token
	IAM    *IAM           // who has signed the request
}

// IAM is who has signed a request, as the gateway says it. What it does not say
// is empty.
type IAM struct {
	ARN               string // of the user, or of the role's session
	UserID            string
	Caller            string
	AccountID         string
	AccessKey         string
	OrganizationID    string
	CognitoIdentityID string // of those who sign in through an identity pool
	CognitoPoolID     string
}

// Authorized returns what the gateway's authorizers have said. All fields are
// nil where there are none.
func (r *Request) Authorized() (a Authorized) {
	told := jsonObject(r.value(authorizerContext))
	switch {
	case r.trigger == AppSync:
		a.ofResolver(jsonObject(r.value(identityOfCaller)))
	case r.trigger == VPCLattice:
		switch who, signed := r.text(principal), r.is(principalType, "AWS_IAM"); {
		case signed:
			a.IAM = &IAM{ARN: who}
		case who != "": // by a way that is not known here
			a.IAM = &IAM{}
		}
	case r.is(version, "2.0"):
		a.Lambda = inner(told, "lambda")
		if jwt := inner(told, "jwt"); jwt != nil {
			a.Claims = inner(jwt, "claims")
			if a.Claims == nil {
				a.Claims = map[string]any{}
			}
			a.Scopes = texts(jwt["scopes"])
		}
		if iam := inner(told, "iam"); len(iam) > 0 {
			cognito := inner(iam, "cognitoIdentity")
			a.IAM = &IAM{
				ARN: Text(iam["userArn"]), UserID: Text(iam["userId"]), Caller: Text(iam["callerId"]),
				AccountID: Text(iam["accountId"]), AccessKey: Text(iam["accessKey"]), OrganizationID: Text(iam["principalOrgId"]),
				CognitoIdentityID: Text(cognito["identityId"]), CognitoPoolID: Text(cognito["identityPoolId"]),
			}
		}
	default:
		a.ofFormat1(r, told)
	}
	return a
}

// ofFormat1 reads an authorizer object in which the claims of a token, or the
// context of a Lambda authorizer, stand beside what the gateway adds.
func (a *Authorized) ofFormat1(r *Request, told map[string]any) {
	a.Claims = inner(told, "claims")
	a.Scopes = texts(told["scopes"])
	if a.Claims == nil {
		delete(told, "integrationLatency")
		if len(told) > 0 {
			a.Lambda = told
		}
	}
	who := jsonObject(r.value(identity))
	iam := IAM{
		ARN: Text(who["userArn"]), UserID: Text(who["user"]), Caller: Text(who["caller"]),
		AccountID: Text(who["accountId"]), AccessKey: Text(who["accessKey"]), OrganizationID: Text(who["principalOrgId"]),
		CognitoIdentityID: Text(who["cognitoIdentityId"]), CognitoPoolID: Text(who["cognitoIdentityPoolId"]),
	}
	if iam.ARN != "" || iam.CognitoIdentityID != "" {
		a.IAM = &iam
	}
}

// ofResolver reads the identity that AppSync shows a resolver: of a token, of
// IAM, or what a Lambda authorizer said, which AppSync Events calls by another
// name.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
func (a *Authorized) ofResolver(identity map[string]any) {
	switch {
	case identity["sub"] != nil:
		a.Claims = map[string]any{"sub": identity["sub"], "iss": identity["issuer"]}
	case identity["userArn"] != nil || identity["cognitoIdentityId"] != nil:
		a.IAM = &IAM{
			ARN: Text(identity["userArn"]), AccountID: Text(identity["accountId"]),
			CognitoIdentityID: Text(identity["cognitoIdentityId"]), CognitoPoolID: Text(identity["cognitoIdentityPoolId"]),
		}
	default:
		a.Lambda = inner(identity, "resolverContext")
		if a.Lambda == nil {
			a.Lambda = inner(identity, "handlerContext")
		}
	}
}

// jsonObject reads a JSON object, nil for anything else.
func jsonObject(raw []byte) map[string]any {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	tree, _ := strictjson.Tree(raw) // the walk has checked it
	o, _ := tree.(map[string]any)
	return o
}

func inner(o map[string]any, name string) map[string]any {
	found, _ := o[name].(map[string]any)
	return found
}

func texts(v any) []string {
	all, _ := v.([]any)
	var out []string
	for _, one := range all {
		if t := Text(one); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// Text returns a string, or a number or a boolean as one; "" for anything else.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	default:
		return ""
	}
}
