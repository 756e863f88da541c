package gateway

import (
	"encoding/json"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// event1 is payload format 1.0 as an HTTP API sends it. What is not there is
// null, unlike in 2.0.
type event1 struct {
	Version                         string              `json:"version"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext                  context1            `json:"requestContext"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type context1 struct {
	AccountID         string                     `json:"accountId"`
	APIID             string                     `json:"apiId"`
	Authorizer        map[string]json.RawMessage `json:"authorizer,omitempty"`
	DomainName        string                     `json:"domainName"`
	DomainPrefix      string                     `json:"domainPrefix"`
	ExtendedRequestID string                     `json:"extendedRequestId"`
	HTTPMethod        string                     `json:"httpMethod"`
	Identity          identity1                  `json:"identity"`
	Path              string                     `json:"path"`
	Protocol          string                     `json:"protocol"`
	RequestID         string                     `json:"requestId"`
	RequestTime       string                     `json:"requestTime"`
	RequestTimeEpoch  int64                      `json:"requestTimeEpoch"`
	ResourceID        string                     `json:"resourceId"`
	ResourcePath      string                     `json:"resourcePath"`
	Stage             string                     `json:"stage"`
}

// identity1 has what IAM tells only where a request is signed.
type identity1 struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
	*iamIdentity
}

// iamIdentity is what IAM tells of a caller.
type iamIdentity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	User                          *string `json:"user"`
}

func (req *request) event1() event1 {
	domainName, domainPrefix := req.domain()
	e := event1{
		Version:           format1,
		Resource:          req.route.path(),
		Path:              req.paths.event,
		HTTPMethod:        req.http.Method,
		Headers:           lastOf(req.header),
		MultiValueHeaders: req.header,
		PathParameters:    req.variables,
		StageVariables:    req.stageVariables,
		RequestContext: context1{
			AccountID:         guardtest.AccountID,
			APIID:             apiID,
			DomainName:        domainName,
			DomainPrefix:      domainPrefix,
			ExtendedRequestID: req.extended,
			HTTPMethod:        req.http.Method,
			Identity:          identity1{SourceIP: req.sourceIP(), UserAgent: req.http.UserAgent()},
			Path:              req.paths.context,
			Protocol:          req.http.Proto,
			RequestID:         req.id,
			RequestTime:       req.at.Format(eventTime),
			RequestTimeEpoch:  req.at.UnixMilli(),
			ResourceID:        req.route.key,
			ResourcePath:      req.route.path(),
			Stage:             req.stage,
		},
	}
	if query := req.query(); len(query) > 0 {
		e.QueryStringParameters, e.MultiValueQueryStringParameters = lastOf(query), query
	}
	switch {
	case req.admitted != nil:
		e.RequestContext.Authorizer = req.admitted.flatContext()
	case req.token != nil:
		e.RequestContext.Authorizer = req.token.told()
	case req.caller != nil:
		identity := req.caller.identity()
		e.RequestContext.Identity.iamIdentity = &identity
	}
	if len(req.body) > 0 {
		body, isBase64 := req.encodedBody()
		e.Body, e.IsBase64Encoded = &body, isBase64
	}
	return e
}

func lastOf(values map[string][]string) map[string]string {
	m := make(map[string]string, len(values))
	for name, v := range values {
		m[name] = v[len(v)-1]
	}
	return m
}
