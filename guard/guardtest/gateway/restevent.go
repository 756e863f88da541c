package gateway

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// restEvent is format 1.0 as a REST API sends it: no version, and an identity
// whose members are null where nobody has signed.
type restEvent struct {
	Version *struct{} `json:"version,omitempty"` // instead of the one in event1
	event1
	RequestContext restContext `json:"requestContext"`
}

type restContext struct {
	ResourceID        string                     `json:"resourceId"`
	Authorizer        map[string]json.RawMessage `json:"authorizer,omitempty"`
	ResourcePath      string                     `json:"resourcePath"`
	HTTPMethod        string                     `json:"httpMethod"`
	ExtendedRequestID string                     `json:"extendedRequestId"`
	RequestTime       string                     `json:"requestTime"`
	Path              string                     `json:"path"`
	AccountID         string                     `json:"accountId"`
	Protocol          string                     `json:"protocol"`
	Stage             string                     `json:"stage"`
	DomainPrefix      string                     `json:"domainPrefix"`
	RequestTimeEpoch  int64                      `json:"requestTimeEpoch"`
	RequestID         string                     `json:"requestId"`
	Identity          restIdentity               `json:"identity"`
	DomainName        string                     `json:"domainName"`
	DeploymentID      string                     `json:"deploymentId"`
	APIID             string                     `json:"apiId"`
}

type restIdentity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
	iamIdentity
}

// deploymentID is that of every REST API in this package.
const deploymentID = "d3pl0y"

func (req *request) restEvent() restEvent {
	e := restEvent{event1: req.event1()}
	e.MultiValueHeaders = req.sentNames()
	e.Headers = lastOf(e.MultiValueHeaders)
	c := e.event1.RequestContext
	e.RequestContext = restContext{
		ResourceID:        resourceID(c.ResourcePath),
		ResourcePath:      c.ResourcePath,
		HTTPMethod:        c.HTTPMethod,
		ExtendedRequestID: c.ExtendedRequestID,
		RequestTime:       c.RequestTime,
		Path:              c.Path,
		AccountID:         c.AccountID,
		Protocol:          c.Protocol,
		Stage:             c.Stage,
		DomainPrefix:      c.DomainPrefix,
		RequestTimeEpoch:  c.RequestTimeEpoch,
		RequestID:         c.RequestID,
		Identity:          restIdentity{c.Identity.SourceIP, c.Identity.UserAgent, req.caller.identity()},
		DomainName:        c.DomainName,
		DeploymentID:      deploymentID,
		APIID:             c.APIID,
	}
	if req.token != nil {
		e.RequestContext.Authorizer = map[string]json.RawMessage{"claims": marshal(req.token.claims)}
	}
	if req.admitted != nil {
		e.RequestContext.Authorizer = req.admitted.flatContext()
		e.RequestContext.Authorizer["integrationLatency"] = json.RawMessage(strconv.FormatInt(req.admitted.latency.Milliseconds(), 10))
	}
	if len(req.body) > 0 && utf8.Valid(req.body) { // without binary media types, all is text
		body := string(req.body)
		e.Body, e.IsBase64Encoded = &body, false
	}
	return e
}

// sentNames are the headers with the names as the client sent them, but for
// Authorization.
//
// See https://github.com/localstack/localstack/blob/0ae53b67250fe7928bbb93be5adbe3848e4d32cd/tests/aws/services/apigateway/test_apigateway_lambda.py
func (req *request) sentNames() http.Header {
	header := req.header.Clone()
	for name := range req.http.Header {
		canonical := http.CanonicalHeaderKey(name)
		if values, ok := header[canonical]; ok && name != canonical && canonical != "Authorization" {
			delete(header, canonical)
			header[name] = values
		}
	}
	return header
}

// resourceID looks like API Gateway's, and is the same for a resource in every run.
func resourceID(path string) string {
	return fmt.Sprintf("%06x", crc32.ChecksumIEEE([]byte(path))&0xffffff)
}

// restAuthorizerEvent is what a REST API's authorizer of type REQUEST gets: the
// function's event without the body, with {} for what there is none of.
type restAuthorizerEvent struct {
	Type      string `json:"type"`
	MethodARN string `json:"methodArn"`
	restEvent
	Body            *struct{} `json:"body,omitempty"`
	IsBase64Encoded *struct{} `json:"isBase64Encoded,omitempty"`
}

func restRequestEvent(req *request, _ []string) []byte {
	e := restAuthorizerEvent{Type: authorizerType, MethodARN: req.arn(), restEvent: req.restEvent()}
	e.QueryStringParameters = orEmpty(e.QueryStringParameters)
	e.MultiValueQueryStringParameters = orEmpty(e.MultiValueQueryStringParameters)
	e.PathParameters = orEmpty(e.PathParameters)
	e.StageVariables = orEmpty(e.StageVariables)
	return marshal(e)
}

func restTokenEvent(req *request, identity []string) []byte {
	return marshal(struct {
		Type      string `json:"type"`
		MethodARN string `json:"methodArn"`
		Token     string `json:"authorizationToken"`
	}{tokenType, req.arn(), identity[0]})
}
