package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// An object is a JSON object in the making. The types of aws-lambda-go's events
// package are for reading: they would write members that AWS leaves out.
type object = map[string]any

// eventTime is the form of the time in requestContext, the Common Log Format's.
const eventTime = "02/Jan/2006:15:04:05 -0700"

// event2 is the event of payload format 2.0, which leaves out what is empty.
func (req *request) event2(functionURL bool) object {
	e := req.request2(functionURL)
	body, isBase64 := req.encodedBody()
	e["isBase64Encoded"] = isBase64
	if body != "" {
		e["body"] = body
	}
	return e
}

// request2 is what a function and an authorizer are told of a request alike.
func (req *request) request2(functionURL bool) object {
	accountID := guardtest.AccountID
	if functionURL && req.caller == nil {
		accountID = "anonymous" // a function URL names no account without IAM authorization
	}
	domainName, domainPrefix := req.domain()
	if functionURL && !strings.Contains(domainName, ".lambda-url.") { // it is reached by no other name
		domainName, domainPrefix = apiID+".lambda-url.us-east-1.on.aws", apiID
	}
	context := object{
		"accountId":    accountID,
		"apiId":        apiID,
		"domainName":   domainName,
		"domainPrefix": domainPrefix,
		"http": object{
			"method":    req.http.Method,
			"path":      req.paths.context,
			"protocol":  req.http.Proto,
			"sourceIp":  req.sourceIP(),
			"userAgent": req.http.UserAgent(),
		},
		"requestId": req.id,
		"routeKey":  req.route.Key,
		"stage":     req.stage,
		"time":      req.at.Format(eventTime),
		"timeEpoch": req.at.UnixMilli(),
	}
	switch {
	case req.admitted != nil:
		context["authorizer"] = object{"lambda": req.admitted.context} // null without a context
	case req.caller != nil:
		context["authorizer"] = object{"iam": req.caller.iam()}
	case req.token != nil:
		context["authorizer"] = object{"jwt": req.token.told()}
	}
	e := object{
		"version":        format2,
		"routeKey":       req.route.Key,
		"rawPath":        req.paths.event,
		"rawQueryString": req.http.URL.RawQuery,
		"headers":        req.joinedHeaders(),
		"requestContext": context,
	}
	if cookies := req.cookies(); len(cookies) > 0 {
		e["cookies"] = cookies
	}
	for name, values := range map[string]map[string]string{
		"queryStringParameters": joined(req.query()), "pathParameters": req.variables, "stageVariables": req.stageVariables,
	} {
		if len(values) > 0 {
			e[name] = values
		}
	}
	return e
}

// event1 is the event of payload format 1.0 as an HTTP API sends it, with these
// headers. What there is none of is null.
func (req *request) event1(header map[string][]string) object {
	e := object{
		"version":                         format1,
		"resource":                        req.route.Path(),
		"path":                            req.paths.event,
		"httpMethod":                      req.http.Method,
		"headers":                         lastOf(header),
		"multiValueHeaders":               header,
		"queryStringParameters":           nil,
		"multiValueQueryStringParameters": nil,
		"requestContext":                  req.context1(),
		"pathParameters":                  req.variables,
		"stageVariables":                  req.stageVariables,
		"body":                            nil,
		"isBase64Encoded":                 false,
	}
	if query := req.query(); len(query) > 0 {
		e["queryStringParameters"], e["multiValueQueryStringParameters"] = lastOf(query), query
	}
	if len(req.body) > 0 {
		e["body"], e["isBase64Encoded"] = req.encodedBody()
	}
	return e
}

// context1 is the requestContext of format 1.0.
func (req *request) context1() object {
	domainName, domainPrefix := req.domain()
	identity := object{"sourceIp": req.sourceIP(), "userAgent": req.http.UserAgent()}
	context := object{
		"accountId":         guardtest.AccountID,
		"apiId":             apiID,
		"domainName":        domainName,
		"domainPrefix":      domainPrefix,
		"extendedRequestId": req.extended,
		"httpMethod":        req.http.Method,
		"identity":          identity,
		"path":              req.paths.context,
		"protocol":          req.http.Proto,
		"requestId":         req.id,
		"requestTime":       req.at.Format(eventTime),
		"requestTimeEpoch":  req.at.UnixMilli(),
		"resourceId":        req.route.Key,
		"resourcePath":      req.route.Path(),
		"stage":             req.stage,
	}
	switch {
	case req.admitted != nil:
		if told := req.admitted.flatContext(); len(told) > 0 {
			context["authorizer"] = told
		}
	case req.token != nil:
		context["authorizer"] = req.token.told()
	case req.caller != nil:
		maps.Copy(identity, req.caller.identity())
	}
	return context
}

// authorizerEvent2 is the event of format 2.0 for an HTTP API's authorizer.
func authorizerEvent2(req *request, identity []string) []byte {
	e := req.request2(false)
	e["type"], e["routeArn"], e["identitySource"] = requestType, req.arn(), identity
	return marshal(e)
}

// authorizerEvent1 is the event of format 1.0 for an HTTP API's authorizer.
func authorizerEvent1(req *request, identity []string) []byte {
	e := req.event1(req.header)
	for _, name := range []string{"multiValueHeaders", "multiValueQueryStringParameters", "body", "isBase64Encoded"} {
		delete(e, name)
	}
	maps.DeleteFunc(e["requestContext"].(object), func(name string, _ any) bool {
		return !slices.Contains([]string{"path", "accountId", "resourceId", "stage", "requestId", "identity", "resourcePath", "httpMethod", "apiId"}, name)
	})
	e["type"], e["methodArn"] = requestType, req.arn()
	e["identitySource"], e["authorizationToken"] = nil, nil
	if len(identity) > 0 {
		text := strings.Join(identity, ",")
		e["identitySource"], e["authorizationToken"] = text, text
	}
	noNulls(e)
	return marshal(e)
}

// noNulls makes {} of the parameters that there are none of, as events for
// authorizers have it.
func noNulls(e object) {
	for _, name := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if value, ok := e[name]; ok && string(marshal(value)) == "null" {
			e[name] = object{}
		}
	}
}

// marshal leaves <, > and & as they are, as AWS does.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // only strings, numbers and maps of them
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (req *request) cookies() []string {
	var cookies []string
	for _, line := range req.header["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				cookies = append(cookies, cookie)
			}
		}
	}
	return cookies
}

func (req *request) joinedHeaders() map[string]string {
	headers := joined(req.lowerHeaders())
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
