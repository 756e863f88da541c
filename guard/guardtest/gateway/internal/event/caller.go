package event

import (
	"encoding/json"
	"strings"
	"time"
)

// An Admission is a Lambda authorizer's answer for a request that may pass.
type Admission struct {
	Principal string // of a policy
	Context   map[string]json.RawMessage
	Latency   time.Duration // of the authorizer's call; 0 for an answer from the cache
}

// flat is an admission in format 1.0.
func (a Admission) flat() Object {
	shown := Object{}
	for name, value := range a.Context {
		shown[name] = value
	}
	if a.Principal != "" {
		shown["principalId"] = a.Principal
	}
	return shown
}

// A Token is what a function sees of a verified token.
type Token struct {
	Claims map[string]string
	Scopes []string // null in the event when there are none
}

// shown is a token in an HTTP API's event: as "jwt" in format 2.0, at the top in
// 1.0. See https://github.com/awsdocs/amazon-api-gateway-developer-guide/issues/113
func (t Token) shown() Object { return Object{"claims": t.Claims, "scopes": t.Scopes} }

// A Caller is the signer of a request.
type Caller struct {
	AccessKey, Account, ID, ARN, OrgID string

	// Of an identity pool.
	PoolID, IdentityID string
	AMR                []string
}

// iam is a caller in format 2.0. See
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func (c Caller) iam() Object {
	shown := Object{
		"accessKey":       c.AccessKey,
		"accountId":       c.Account,
		"callerId":        c.ID,
		"cognitoIdentity": nil,
		"principalOrgId":  orNull(c.OrgID),
		"userArn":         c.ARN,
		"userId":          c.ID,
	}
	if c.PoolID != "" {
		shown["cognitoIdentity"] = Object{"amr": c.AMR, "identityId": c.IdentityID, "identityPoolId": c.PoolID}
	}
	return shown
}

// identity is a caller in format 1.0 and of a REST API. Members are null without a signature, or
// without an identity pool's credentials. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
func (c *Caller) identity() Object {
	if c == nil {
		c = &Caller{}
	}
	how, providers := "", ""
	if len(c.AMR) > 0 {
		how, providers = c.AMR[0], strings.Join(c.AMR[1:], ",")
	}
	return Object{
		"accountId":                     orNull(c.Account),
		"caller":                        orNull(c.ID),
		"principalOrgId":                orNull(c.OrgID),
		"accessKey":                     orNull(c.AccessKey),
		"userArn":                       orNull(c.ARN),
		"user":                          orNull(c.ID),
		"cognitoIdentityPoolId":         orNull(c.PoolID),
		"cognitoIdentityId":             orNull(c.IdentityID),
		"cognitoAuthenticationType":     orNull(how),
		"cognitoAuthenticationProvider": orNull(providers),
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
