// Package event turns requests into events, as API Gateway and a load balancer do.
package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// An Object is a JSON object in the making. The types of aws-lambda-go's events
// package are for reading: they would write members that AWS leaves out.
type Object = map[string]any

// RequestType is the type of every authorizer that gets the request.
const RequestType = "REQUEST"

// eventTime is the form of the time in requestContext, the Common Log Format's.
const eventTime = "02/Jan/2006:15:04:05 -0700"

// Format2 is the event of payload format 2.0, which leaves out what is empty.
func (req *Request) Format2(functionURL bool) Object {
	e := req.request2(functionURL)
	body, isBase64 := req.encodedBody()
	e["isBase64Encoded"] = isBase64
	if body != "" {
		e["body"] = body
	}
	return e
}

// request2 has the members that events for functions and authorizers share.
func (req *Request) request2(functionURL bool) Object {
	accountID := guardtest.AccountID
	if functionURL && req.Caller == nil {
		accountID = "anonymous" // a function URL names no account without IAM authorization
	}
	domainName, domainPrefix := req.domain()
	if functionURL && !strings.Contains(domainName, ".lambda-url.") { // it is reached by no other name
		domainName, domainPrefix = apiID+".lambda-url.us-east-1.on.aws", apiID
	}
	context := Object{
		"accountId":    accountID,
		"apiId":        apiID,
		"domainName":   domainName,
		"domainPrefix": domainPrefix,
		"http": Object{
			"method":    req.HTTP.Method,
			"path":      req.Paths.Context,
			"protocol":  req.HTTP.Proto,
			"sourceIp":  req.sourceIP(),
			"userAgent": req.HTTP.UserAgent(),
		},
		"requestId": req.ID,
		"routeKey":  req.Route.Key,
		"stage":     req.Stage,
		"time":      req.At.Format(eventTime),
		"timeEpoch": req.At.UnixMilli(),
	}
	switch {
	case req.Admitted != nil:
		context["authorizer"] = Object{"lambda": req.Admitted.Context} // null without a context
	case req.Caller != nil:
		context["authorizer"] = Object{"iam": req.Caller.iam()}
	case req.Token != nil:
		context["authorizer"] = Object{"jwt": req.Token.shown()}
	}
	e := Object{
		"version":        "2.0",
		"routeKey":       req.Route.Key,
		"rawPath":        req.Paths.Event,
		"rawQueryString": req.HTTP.URL.RawQuery,
		"headers":        req.joinedHeaders(),
		"requestContext": context,
	}
	if cookies := req.cookies(); len(cookies) > 0 {
		e["cookies"] = cookies
	}
	for name, values := range map[string]map[string]string{
		"queryStringParameters": joined(req.query()), "pathParameters": req.Variables, "stageVariables": req.StageVariables,
	} {
		if len(values) > 0 {
			e[name] = values
		}
	}
	return e
}

// Format1 is the event of payload format 1.0 as an HTTP API sends it, with these
// headers. Missing parts are null.
func (req *Request) Format1(header map[string][]string) Object {
	e := Object{
		"version":                         "1.0",
		"resource":                        req.Route.Path(),
		"path":                            req.Paths.Event,
		"httpMethod":                      req.HTTP.Method,
		"headers":                         lastOf(header),
		"multiValueHeaders":               header,
		"queryStringParameters":           nil,
		"multiValueQueryStringParameters": nil,
		"requestContext":                  req.context1(),
		"pathParameters":                  req.Variables,
		"stageVariables":                  req.StageVariables,
		"body":                            nil,
		"isBase64Encoded":                 false,
	}
	if query := req.query(); len(query) > 0 {
		e["queryStringParameters"], e["multiValueQueryStringParameters"] = lastOf(query), query
	}
	if len(req.Body) > 0 {
		e["body"], e["isBase64Encoded"] = req.encodedBody()
	}
	return e
}

// context1 is the requestContext of format 1.0.
func (req *Request) context1() Object {
	domainName, domainPrefix := req.domain()
	identity := Object{"sourceIp": req.sourceIP(), "userAgent": req.HTTP.UserAgent()}
	context := Object{
		"accountId":         guardtest.AccountID,
		"apiId":             apiID,
		"domainName":        domainName,
		"domainPrefix":      domainPrefix,
		"extendedRequestId": req.Extended,
		"httpMethod":        req.HTTP.Method,
		"identity":          identity,
		"path":              req.Paths.Context,
		"protocol":          req.HTTP.Proto,
		"requestId":         req.ID,
		"requestTime":       req.At.Format(eventTime),
		"requestTimeEpoch":  req.At.UnixMilli(),
		"resourceId":        req.Route.Key,
		"resourcePath":      req.Route.Path(),
		"stage":             req.Stage,
	}
	switch {
	case req.Admitted != nil:
		if shown := req.Admitted.flat(); len(shown) > 0 {
			context["authorizer"] = shown
		}
	case req.Token != nil:
		context["authorizer"] = req.Token.shown()
	case req.Caller != nil:
		maps.Copy(identity, req.Caller.identity())
	}
	return context
}

// Authorizer2 is the event of format 2.0 for an HTTP API's authorizer.
func Authorizer2(req *Request, identity []string) []byte {
	e := req.request2(false)
	e["type"], e["routeArn"], e["identitySource"] = RequestType, req.ARN(), identity
	return Marshal(e)
}

// Authorizer1 is the event of format 1.0 for an HTTP API's authorizer.
func Authorizer1(req *Request, identity []string) []byte {
	e := req.Format1(req.Header)
	for _, name := range []string{"multiValueHeaders", "multiValueQueryStringParameters", "body", "isBase64Encoded"} {
		delete(e, name)
	}
	maps.DeleteFunc(e["requestContext"].(Object), func(name string, _ any) bool {
		return !slices.Contains([]string{"path", "accountId", "resourceId", "stage", "requestId", "identity", "resourcePath", "httpMethod", "apiId"}, name)
	})
	e["type"], e["methodArn"] = RequestType, req.ARN()
	e["identitySource"], e["authorizationToken"] = nil, nil
	if len(identity) > 0 {
		text := strings.Join(identity, ",")
		e["identitySource"], e["authorizationToken"] = text, text
	}
	noNulls(e)
	return Marshal(e)
}

// noNulls replaces missing parameters by {}, as in events for authorizers.
func noNulls(e Object) {
	for _, name := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if value, ok := e[name]; ok && string(Marshal(value)) == "null" {
			e[name] = Object{}
		}
	}
}

// Marshal leaves <, > and & as they are, as AWS does.
func Marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // only strings, numbers and maps of them
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (req *Request) cookies() []string {
	var cookies []string
	for _, line := range req.Header["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				cookies = append(cookies, cookie)
			}
		}
	}
	return cookies
}

func (req *Request) joinedHeaders() map[string]string {
	headers := joined(req.LowerHeaders())
	delete(headers, "cookie")
	return headers
}

func joined(values map[string][]string) map[string]string {
	m := make(map[string]string, len(values))
	for name, v := range values {
		m[name] = strings.Join(v, ",")
	}
	return m
}

func lastOf(values map[string][]string) map[string]string {
	m := make(map[string]string, len(values))
	for name, v := range values {
		m[name] = v[len(v)-1]
	}
	return m
}
