package guard

import (
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// upgrade gives a request of payload format 1.0 the form of format 2.0.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func upgrade(in *events.APIGatewayProxyRequest) *events.APIGatewayV2HTTPRequest {
	ctx := &in.RequestContext
	out := &events.APIGatewayV2HTTPRequest{
		Version:         "1.0",
		RouteKey:        routeKey(in.HTTPMethod, in.Resource),
		RawPath:         in.Path,
		Headers:         joinHeaders(in),
		PathParameters:  in.PathParameters,
		StageVariables:  in.StageVariables,
		Body:            in.Body,
		IsBase64Encoded: in.IsBase64Encoded,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			AccountID:    ctx.AccountID,
			Stage:        ctx.Stage,
			RequestID:    ctx.RequestID,
			APIID:        ctx.APIID,
			DomainName:   ctx.DomainName,
			DomainPrefix: ctx.DomainPrefix,
			Time:         ctx.RequestTime,
			TimeEpoch:    ctx.RequestTimeEpoch,
			Authorizer:   upgradeAuthorizer(ctx.Authorizer),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    in.HTTPMethod,
				Path:      in.Path,
				Protocol:  ctx.Protocol,
				SourceIP:  ctx.Identity.SourceIP,
				UserAgent: ctx.Identity.UserAgent,
			},
		},
	}
	out.RequestContext.RouteKey = out.RouteKey
	if cookie := out.Headers["cookie"]; cookie != "" {
		for c := range strings.SplitSeq(cookie, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out.Cookies = append(out.Cookies, c)
			}
		}
		delete(out.Headers, "cookie")
	}
	out.QueryStringParameters, out.RawQueryString = joinQuery(in)
	return out
}

func routeKey(method, resource string) string {
	if resource == "" || resource == "$default" {
		return "$default"
	}
	return method + " " + resource
}

func joinHeaders(in *events.APIGatewayProxyRequest) map[string]string {
	var lines []fieldlines.Line
	for name, values := range in.MultiValueHeaders {
		for _, value := range values {
			lines = append(lines, fieldlines.Line{Name: name, Value: value})
		}
	}
	if len(in.MultiValueHeaders) == 0 {
		for name, value := range in.Headers {
			lines = append(lines, fieldlines.Line{Name: name, Value: value})
		}
	}
	headers := make(map[string]string, len(lines))
	for _, f := range fieldlines.Combine(lines) {
		headers[f.Name] = f.Value
	}
	return headers
}

func joinQuery(in *events.APIGatewayProxyRequest) (joined map[string]string, raw string) {
	values := url.Values(in.MultiValueQueryStringParameters)
	if len(values) == 0 {
		values = url.Values{}
		for name, value := range in.QueryStringParameters {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return nil, ""
	}
	joined = make(map[string]string, len(values))
	for name, all := range values {
		joined[name] = strings.Join(all, ",")
	}
	return joined, values.Encode()
}

// upgradeAuthorizer keeps what an authorizer of any kind has told: claims of a
// JWT or a user pool, or the context of a Lambda authorizer.
func upgradeAuthorizer(in map[string]any) *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	if len(in) == 0 {
		return nil
	}
	out := &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{Lambda: in}
	claims, ok := in["claims"].(map[string]any)
	if !ok {
		return out
	}
	out.JWT = &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: make(map[string]string, len(claims))}
	for name, value := range claims {
		if text, ok := value.(string); ok {
			out.JWT.Claims[name] = text
		}
	}
	return out
}
