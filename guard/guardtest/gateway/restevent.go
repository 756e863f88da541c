package gateway

import (
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"unicode/utf8"
)

// deploymentID is that of every REST API in this package.
const deploymentID = "d3pl0y"

// restEvent is format 1.0 as a REST API sends it: no version, and an identity
// whose members are null where nobody has signed.
func (req *request) restEvent() object {
	e := req.event1(req.sentNames())
	delete(e, "version")
	context := e["requestContext"].(object)
	context["deploymentId"], context["resourceId"] = deploymentID, resourceID(req.route.Path())
	maps.Copy(context["identity"].(object), req.caller.identity())
	if req.token != nil {
		context["authorizer"] = object{"claims": req.token.claims}
	}
	if req.admitted != nil {
		told := req.admitted.flatContext()
		told["integrationLatency"] = req.admitted.latency.Milliseconds()
		context["authorizer"] = told
	}
	if len(req.body) > 0 && utf8.Valid(req.body) { // without binary media types, all is text
		e["body"], e["isBase64Encoded"] = string(req.body), false
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

// restRequestEvent is what an authorizer of type REQUEST gets: the function's
// event without the body.
func restRequestEvent(req *request, _ []string) []byte {
	e := req.restEvent()
	delete(e, "body")
	delete(e, "isBase64Encoded")
	e["type"], e["methodArn"] = requestType, req.arn()
	noNulls(e)
	return marshal(e)
}

func restTokenEvent(req *request, identity []string) []byte {
	return marshal(object{"type": tokenType, "methodArn": req.arn(), "authorizationToken": identity[0]})
}
