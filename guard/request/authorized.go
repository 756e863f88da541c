package request

import (
	"encoding/json"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Authorized is the result of the gateway's own authorizers. Numbers are
// [json.Number].
type Authorized struct {
	Lambda map[string]any // the context of a Lambda authorizer
	Claims map[string]any // of the token that a JWT authorizer or a user pool has verified
	Scopes []string       // of that token
	IAM    *IAM           // who has signed the request
}

// IAM is the signer of a request. A field that the gateway does not send is empty.
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

// Authorized returns the result of the gateway's authorizers. All fields are nil if
// there are none.
func (r *Request) Authorized() (a Authorized) {
	context := jsonObject(r.value(authorizerContext))
	switch {
	case r.trigger == AppSync:
		a.readResolver(jsonObject(r.value(identityOfCaller)))
	case r.trigger == VPCLattice:
		switch who, signed := r.text(principal), r.is(principalType, "AWS_IAM"); {
		case signed:
			a.IAM = &IAM{ARN: who}
		case who != "": // of a type that is not known here
			a.IAM = &IAM{}
		}
	case r.is(version, "2.0"):
		a.readFormat2(context)
	default:
		a.readFormat1(context, jsonObject(r.value(identity)))
	}
	return a
}

func (a *Authorized) readFormat2(context map[string]any) {
	a.Lambda = inner(context, "lambda")
	if jwt := inner(context, "jwt"); jwt != nil {
		a.Claims, a.Scopes = inner(jwt, "claims"), texts(jwt["scopes"])
		if a.Claims == nil {
			a.Claims = map[string]any{}
		}
	}
	if iam := inner(context, "iam"); len(iam) > 0 {
		cognito := inner(iam, "cognitoIdentity")
		a.IAM = &IAM{
			ARN: Text(iam["userArn"]), UserID: Text(iam["userId"]), Caller: Text(iam["callerId"]),
			AccountID: Text(iam["accountId"]), AccessKey: Text(iam["accessKey"]), OrganizationID: Text(iam["principalOrgId"]),
			CognitoIdentityID: Text(cognito["identityId"]), CognitoPoolID: Text(cognito["identityPoolId"]),
		}
	}
}

// readFormat1 reads a context with the claims of a token or the context of a Lambda
// authorizer, beside fields of the gateway.
func (a *Authorized) readFormat1(context, who map[string]any) {
	a.Claims, a.Scopes = inner(context, "claims"), texts(context["scopes"])
	if a.Claims == nil {
		delete(context, "integrationLatency")
		if len(context) > 0 {
			a.Lambda = context
		}
	}
	iam := IAM{
		ARN: Text(who["userArn"]), UserID: Text(who["user"]), Caller: Text(who["caller"]),
		AccountID: Text(who["accountId"]), AccessKey: Text(who["accessKey"]), OrganizationID: Text(who["principalOrgId"]),
		CognitoIdentityID: Text(who["cognitoIdentityId"]), CognitoPoolID: Text(who["cognitoIdentityPoolId"]),
	}
	if iam.ARN != "" || iam.CognitoIdentityID != "" {
		a.IAM = &iam
	}
}

// readResolver reads the identity in a resolver's event: of a token, of IAM, or of
// a Lambda authorizer. AppSync Events has another name for the context of the
// latter.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
func (a *Authorized) readResolver(who map[string]any) {
	switch {
	case who["sub"] != nil:
		a.Claims = map[string]any{"sub": who["sub"], "iss": who["issuer"]}
	case who["userArn"] != nil || who["cognitoIdentityId"] != nil:
		a.IAM = &IAM{
			ARN: Text(who["userArn"]), AccountID: Text(who["accountId"]),
			CognitoIdentityID: Text(who["cognitoIdentityId"]), CognitoPoolID: Text(who["cognitoIdentityPoolId"]),
		}
	default:
		if a.Lambda = inner(who, "resolverContext"); a.Lambda == nil {
			a.Lambda = inner(who, "handlerContext")
		}
	}
}

// jsonObject returns a JSON object as a map, nil for any other value.
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

// Text returns a string, or a number or a boolean as one, "" for any other value.
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
