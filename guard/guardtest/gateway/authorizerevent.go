package gateway

import "strings"

// authorizerType is that of every authorizer that gets the request.
const authorizerType = "REQUEST"

// authorizerEvent is the payload of format 2.0 for an HTTP API's authorizer.
type authorizerEvent struct {
	Type           string   `json:"type"`
	RouteARN       string   `json:"routeArn"`
	IdentitySource []string `json:"identitySource"`
	request2
}

func authorizerEvent2(req *request, identity []string) []byte {
	return marshal(authorizerEvent{authorizerType, req.arn(), identity, req.request2(false)})
}

// authorizerEventOld is the payload of format 1.0 for an HTTP API's authorizer.
type authorizerEventOld struct {
	Version               string               `json:"version"`
	Type                  string               `json:"type"`
	MethodARN             string               `json:"methodArn"`
	IdentitySource        *string              `json:"identitySource"`
	AuthorizationToken    *string              `json:"authorizationToken"`
	Resource              string               `json:"resource"`
	Path                  string               `json:"path"`
	HTTPMethod            string               `json:"httpMethod"`
	Headers               map[string]string    `json:"headers"`
	QueryStringParameters map[string]string    `json:"queryStringParameters"`
	PathParameters        map[string]string    `json:"pathParameters"`
	StageVariables        map[string]string    `json:"stageVariables"`
	RequestContext        authorizerContextOld `json:"requestContext"`
}

type authorizerContextOld struct {
	Path         string    `json:"path"`
	AccountID    string    `json:"accountId"`
	ResourceID   string    `json:"resourceId"`
	Stage        string    `json:"stage"`
	RequestID    string    `json:"requestId"`
	Identity     identity1 `json:"identity"`
	ResourcePath string    `json:"resourcePath"`
	HTTPMethod   string    `json:"httpMethod"`
	APIID        string    `json:"apiId"`
}

func authorizerEvent1(req *request, identity []string) []byte {
	e := req.event1()
	var joined *string
	if len(identity) > 0 {
		text := strings.Join(identity, ",")
		joined = &text
	}
	return marshal(authorizerEventOld{
		Version:               format1,
		Type:                  authorizerType,
		MethodARN:             req.arn(),
		IdentitySource:        joined,
		AuthorizationToken:    joined,
		Resource:              e.Resource,
		Path:                  e.Path,
		HTTPMethod:            e.HTTPMethod,
		Headers:               e.Headers,
		QueryStringParameters: orEmpty(e.QueryStringParameters),
		PathParameters:        orEmpty(e.PathParameters),
		StageVariables:        orEmpty(e.StageVariables),
		RequestContext: authorizerContextOld{
			Path:         e.RequestContext.Path,
			AccountID:    e.RequestContext.AccountID,
			ResourceID:   e.RequestContext.ResourceID,
			Stage:        e.RequestContext.Stage,
			RequestID:    e.RequestContext.RequestID,
			Identity:     e.RequestContext.Identity,
			ResourcePath: e.RequestContext.ResourcePath,
			HTTPMethod:   e.RequestContext.HTTPMethod,
			APIID:        e.RequestContext.APIID,
		},
	})
}

// orEmpty makes null {}, as events for authorizers have it.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	return m
}
