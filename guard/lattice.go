package guard

import (
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// latticeRequest is a request of VPC Lattice in version 2 of its event
// structure. Version 1 does not tell what was sent: it joins cookies by commas,
// keeps one value of several in a query, and has nothing to know it by. The
// caller's organization is not read: how AWS spells it, ID or Id, is told in two
// ways, and a member in another case than the one that is asked for is refused.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
type latticeRequest struct {
	Version         string              `json:"version"`
	Path            string              `json:"path"`
	Method          string              `json:"method"`
	Headers         map[string][]string `json:"headers"`
	Query           url.Values          `json:"queryStringParameters"`
	Body            string              `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
	RequestContext  struct {
		Identity *struct {
			Type      string `json:"type"`
			Principal string `json:"principal"`
		} `json:"identity"`
	} `json:"requestContext"`
}

// upgrade gives the request the form of format 2.0. Lattice has no routes, no
// stages and no request context of HTTP, and tells the client's address in
// X-Forwarded-For alone, which clients can write to as well.
func (in *latticeRequest) upgrade() *events.APIGatewayV2HTTPRequest {
	out := &events.APIGatewayV2HTTPRequest{
		Version:         in.Version,
		Body:            in.Body,
		IsBase64Encoded: in.IsBase64Encoded,
	}
	var asSent bool
	if out.RawPath, out.RawQueryString, asSent = strings.Cut(in.Path, "?"); asSent {
		// The path is sent with its query, which says more than what was made of it.
		in.Query, _ = url.ParseQuery(out.RawQueryString) // what can be read of it
	} else {
		out.RawQueryString = in.Query.Encode()
	}
	out.QueryStringParameters = joinValues(in.Query)
	out.Headers = joinLines(in.Headers, nil)
	out.Cookies = takeCookies(out.Headers)
	out.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: in.Method, Path: out.RawPath, UserAgent: out.Headers["user-agent"],
	}
	if who := in.RequestContext.Identity; who != nil && who.Type == "AWS_IAM" && who.Principal != "" {
		out.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: who.Principal},
		}
	}
	return out
}
