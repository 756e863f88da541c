package event

import (
	"fmt"
	"slices"
	"strings"
)

// A Source returns the value of an identity source in a request, under which
// decisions are cached. It returns "" if the request has no value there.
type Source func(*Request) string

// A Syntax is how an API spells its identity sources.
type Syntax struct {
	Header, query, stageVariable, context string // prefixes
	variable                              string // the context variable that only this API has
}

// HTTPAPISources are the selection expressions of an HTTP API.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
var HTTPAPISources = Syntax{"$request.header.", "$request.querystring.", "$stageVariables.", "$context.", "routeKey"}

// RESTSources are the mapping expressions of a REST API.
var RESTSources = Syntax{"method.request.header.", "method.request.querystring.", "stageVariables.", "context.", "resourcePath"}

// contextVariables are the context variables that every API has. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var contextVariables = []string{
	"accountId", "apiId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod", "identity.sourceIp", "identity.userAgent",
	"path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "stage",
}

// Parse reads identity sources, and refuses one that is there twice.
func (s Syntax) Parse(expressions []string) ([]Source, error) {
	var sources []Source
	for i, expression := range expressions {
		source, err := s.ParseOne(expression)
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

// ParseOne reads one identity source.
func (s Syntax) ParseOne(expression string) (Source, error) {
	if name, ok := strings.CutPrefix(expression, s.context); ok {
		if name != s.variable && !slices.Contains(contextVariables, name) {
			return nil, fmt.Errorf("gateway: identity source %q: this API has no such context variable", expression)
		}
		return func(req *Request) string { return req.contextVariable(name) }, nil
	}
	for prefix, value := range map[string]func(req *Request, name string) string{
		s.Header:        (*Request).HeaderValue,
		s.query:         (*Request).queryValue,
		s.stageVariable: func(req *Request, name string) string { return req.StageVariables[name] },
	} {
		name, ok := strings.CutPrefix(expression, prefix)
		if ok && name != "" && !strings.ContainsAny(name, " \t\r\n,") {
			return func(req *Request) string { return value(req, name) }, nil
		}
	}
	return nil, fmt.Errorf("gateway: identity source %q is none of %sNAME, %sNAME, %sNAME and %sNAME",
		expression, s.Header, s.query, s.context, s.stageVariable)
}

// HeaderValue and queryValue join several values, as an event of format 2.0 does.
func (req *Request) HeaderValue(name string) string {
	return strings.Join(req.Header.Values(name), ",")
}

func (req *Request) queryValue(name string) string {
	return strings.Join(req.query()[name], ",")
}

func (req *Request) contextVariable(name string) string {
	if name == "routeKey" {
		return req.Route.Key
	}
	context := req.context1()
	if inner, ok := strings.CutPrefix(name, "identity."); ok {
		context, name = context["identity"].(Object), inner
	}
	return fmt.Sprint(context[name])
}
