package event

import (
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"unicode/utf8"
)

// deploymentID is the deployment of every REST API in this package.
const deploymentID = "d3pl0y"

// REST is format 1.0 as a REST API sends it: no version, and an identity
// whose members are null where nobody has signed.
func (req *Request) REST() Object {
	e := req.Format1(req.sentNames())
	delete(e, "version")
	context := e["requestContext"].(Object)
	context["deploymentId"], context["resourceId"] = deploymentID, resourceID(req.Route.Path())
	maps.Copy(context["identity"].(Object), req.Caller.identity())
	if req.Token != nil {
		context["authorizer"] = Object{"claims": req.Token.Claims}
	}
	if req.Admitted != nil {
		shown := req.Admitted.flat()
		shown["integrationLatency"] = req.Admitted.Latency.Milliseconds()
		context["authorizer"] = shown
	}
	if len(req.Body) > 0 && utf8.Valid(req.Body) { // without binary media types, all is text
		e["body"], e["isBase64Encoded"] = string(req.Body), false
	}
	return e
}

// sentNames are the headers with the names as the client sent them, but for
// Authorization.
//
// See https://github.com/localstack/localstack/blob/0ae53b67250fe7928bbb93be5adbe3848e4d32cd/tests/aws/services/apigateway/test_apigateway_lambda.py
func (req *Request) sentNames() http.Header {
	header := req.Header.Clone()
	for name := range req.HTTP.Header {
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

// RESTRequest is what an authorizer of type REQUEST gets: the function's
// event without the body.
func RESTRequest(req *Request, _ []string) []byte {
	e := req.REST()
	delete(e, "body")
	delete(e, "isBase64Encoded")
	e["type"], e["methodArn"] = RequestType, req.ARN()
	noNulls(e)
	return Marshal(e)
}

// RESTToken is what an authorizer of type TOKEN gets.
func RESTToken(req *Request, identity []string) []byte {
	return Marshal(Object{"type": "TOKEN", "methodArn": req.ARN(), "authorizationToken": identity[0]})
}
