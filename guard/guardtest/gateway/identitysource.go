package gateway

import (
	"fmt"
	"slices"
	"strings"
)

// An identitySource is a place in a request that an authorizer's decision is
// asked for by, and cached under. It is empty when the request has no value there.
type identitySource func(*request) string

// identitySyntax is how an API spells its identity sources.
type identitySyntax struct {
	header, query, stageVariable, context string // prefixes
	variable                              string // the context variable that only this API has
}

// httpIdentity are the selection expressions of an HTTP API.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
var httpIdentity = identitySyntax{"$request.header.", "$request.querystring.", "$stageVariables.", "$context.", "routeKey"}

// restIdentity are the mapping expressions of a REST API.
var restIdentity = identitySyntax{"method.request.header.", "method.request.querystring.", "stageVariables.", "context.", "resourcePath"}

// contextVariables are those that every API has.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var contextVariables = []string{
	"accountId", "apiId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod", "identity.sourceIp", "identity.userAgent",
	"path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "stage",
}

func (s identitySyntax) parse(expressions []string) ([]identitySource, error) {
	var sources []identitySource
	for i, expression := range expressions {
		source, err := s.parseOne(expression)
		if err != nil {
			return nil, err
		}
		if slices.Contains(expressions[:i], expression) {
			return nil, fmt.Errorf("gateway: identity source %q is listed twice", expression)
		}
		sources = append(sources, source)
	}
	return sources, nil
}

func (s identitySyntax) parseOne(expression string) (identitySource, error) {
	if name, ok := strings.CutPrefix(expression, s.context); ok {
		if name != s.variable && !slices.Contains(contextVariables, name) {
			return nil, fmt.Errorf("gateway: identity source %q: this API has no such context variable", expression)
		}
		return func(req *request) string { return req.contextVariable(name) }, nil
	}
	for prefix, value := range map[string]func(req *request, name string) string{
		s.header:        (*request).headerValue,
		s.query:         (*request).queryValue,
		s.stageVariable: func(req *request, name string) string { return req.stageVariables[name] },
	} {
		name, ok := strings.CutPrefix(expression, prefix)
		if ok && name != "" && !strings.ContainsAny(name, " \t\r\n,") {
			return func(req *request) string { return value(req, name) }, nil
		}
	}
	return nil, fmt.Errorf("gateway: identity source %q is none of %sNAME, %sNAME, %sNAME and %sNAME",
		expression, s.header, s.query, s.context, s.stageVariable)
}

// headerValue and queryValue join several values, as an event of format 2.0 does.
func (req *request) headerValue(name string) string {
	return strings.Join(req.header.Values(name), ",")
}

func (req *request) queryValue(name string) string {
	return strings.Join(req.query()[name], ",")
}

func (req *request) contextVariable(name string) string {
	if name == "routeKey" {
		return req.route.Key
	}
	context := req.context1()
	if inner, ok := strings.CutPrefix(name, "identity."); ok {
		context, name = context["identity"].(object), inner
	}
	return fmt.Sprint(context[name])
}
