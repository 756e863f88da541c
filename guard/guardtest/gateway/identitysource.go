package gateway

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// An identitySource is a place in a request that an authorizer's decision is
// asked for by, and cached under.
type identitySource struct {
	expression string
	value      func(*request) string // empty when the request has none
}

// identitySyntax is how an API spells its identity sources.
type identitySyntax struct {
	header, query, context, stageVariable string // prefixes

	// variable returns nil for a context variable that there is not.
	variable func(name string) func(*request) string
}

// identityOfHTTPAPI are the selection expressions of an HTTP API.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func identityOfHTTPAPI() identitySyntax {
	return identitySyntax{
		header: "$request.header.", query: "$request.querystring.", context: "$context.", stageVariable: "$stageVariables.",
		variable: func(name string) func(*request) string {
			if name == "routeKey" {
				return func(req *request) string { return req.route.key }
			}
			return contextVariable(name)
		},
	}
}

func (s identitySyntax) parse(expressions []string) ([]identitySource, error) {
	var sources []identitySource
	seen := map[string]bool{}
	for _, expression := range expressions {
		source, err := s.parseOne(expression)
		if err != nil {
			return nil, err
		}
		if seen[expression] {
			return nil, fmt.Errorf("gateway: identity source %q is there twice", expression)
		}
		seen[expression] = true
		sources = append(sources, source)
	}
	return sources, nil
}

func (s identitySyntax) parseOne(expression string) (identitySource, error) {
	source := identitySource{expression: expression}
	if name, ok := strings.CutPrefix(expression, s.context); ok {
		source.value = s.variable(name)
		if source.value == nil {
			return source, fmt.Errorf("gateway: identity source %q: no such context variable here", expression)
		}
		return source, nil
	}
	for prefix, value := range map[string]func(req *request, name string) string{
		s.header:        (*request).headerValue,
		s.query:         (*request).queryValue,
		s.stageVariable: func(req *request, name string) string { return req.stageVariables[name] },
	} {
		name, ok := strings.CutPrefix(expression, prefix)
		if !ok {
			continue
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n,") {
			break
		}
		source.value = func(req *request) string { return value(req, name) }
		return source, nil
	}
	return source, fmt.Errorf("gateway: identity source %q is none of %sNAME, %sNAME, %sNAME and %sNAME",
		expression, s.header, s.query, s.context, s.stageVariable)
}

// headerValue and queryValue join several values, as an event of format 2.0 does.
func (req *request) headerValue(name string) string {
	return strings.Join(req.header.Values(name), ",")
}

func (req *request) queryValue(name string) string {
	return strings.Join(req.query()[name], ",")
}

// contextVariable knows the variables that every API has.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func contextVariable(name string) func(*request) string {
	switch name {
	case "accountId":
		return func(*request) string { return guardtest.AccountID }
	case "apiId":
		return func(*request) string { return apiID }
	case "domainName":
		return func(req *request) string { name, _ := req.domain(); return name }
	case "domainPrefix":
		return func(req *request) string { _, prefix := req.domain(); return prefix }
	case "httpMethod":
		return func(req *request) string { return req.http.Method }
	case "identity.sourceIp":
		return (*request).sourceIP
	case "identity.userAgent":
		return func(req *request) string { return req.http.UserAgent() }
	case "path":
		return func(req *request) string { return req.paths.context }
	case "protocol":
		return func(req *request) string { return req.http.Proto }
	case "requestId", "extendedRequestId":
		return func(req *request) string { return req.id }
	case "requestTime":
		return func(req *request) string { return req.at.Format(eventTime) }
	case "requestTimeEpoch":
		return func(req *request) string { return strconv.FormatInt(req.at.UnixMilli(), 10) }
	case "stage":
		return func(req *request) string { return req.stage }
	default:
		return nil
	}
}
