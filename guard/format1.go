package guard

import (
	"net/url"

	"github.com/aws/aws-lambda-go/events"
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
	out.Headers = joinLines(in.MultiValueHeaders, in.Headers)
	out.Cookies = takeCookies(out.Headers)
	out.QueryStringParameters, out.RawQueryString = joinQuery(in)
	return out
}

func routeKey(method, resource string) string {
	if resource == "" || resource == "$default" {
		return "$default"
	}
	return method + " " + resource
}

func joinQuery(in *events.APIGatewayProxyRequest) (joined map[string]string, raw string) {
	values := url.Values(in.MultiValueQueryStringParameters)
	if len(values) == 0 {
		values = url.Values{}
		for name, value := range in.QueryStringParameters {
			values.Set(name, value)
		}
	}
	return joinValues(values), values.Encode()
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
