package request

import (
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Format2 returns the request as an event of payload format 2.0. The error is a
// [*strictjson.Error] if the authorizer's context has a form that AWS does not
// send.
func (r *Request) Format2() (*events.APIGatewayV2HTTPRequest, error) {
	body, isBase64 := r.RawBody()
	out := &events.APIGatewayV2HTTPRequest{
		Version:         r.Version(),
		RouteKey:        r.RouteKey(),
		RawPath:         r.RawPath(),
		RawQueryString:  r.RawQuery(),
		Headers:         map[string]string{},
		Cookies:         r.Cookies(),
		PathParameters:  r.table(pathParameters),
		StageVariables:  r.table(stageVariables),
		Body:            unquote(body),
		IsBase64Encoded: isBase64,
	}
	for _, h := range r.Headers() {
		out.Headers[h.Name] = h.Value
	}
	if out.Version != "2.0" || r.trigger == VPCLattice {
		delete(out.Headers, "cookie")
	}
	out.QueryStringParameters = r.joinedQuery()
	ctx := &out.RequestContext
	*ctx = events.APIGatewayV2HTTPRequestContext{
		RouteKey:     r.RouteKey(),
		AccountID:    r.AccountID(),
		Stage:        r.Stage(),
		RequestID:    r.RequestID(),
		APIID:        r.APIID(),
		DomainName:   r.Domain(),
		DomainPrefix: r.text(domainPrefix),
		Time:         r.first(timeText, requestTime),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method: r.Method(), Path: r.RawPath(), Protocol: r.Protocol(), SourceIP: r.SourceIP(), UserAgent: r.UserAgent(),
		},
	}
	if p := r.text(httpPath2); p != "" {
		ctx.HTTP.Path = p
	}
	for _, m := range []member{timeEpoch, requestTimeEpoch} {
		if n, err := strconv.ParseInt(string(r.value(m)), 10, 64); err == nil {
			ctx.TimeEpoch = n
		}
	}
	if c := r.Certificate(); c != nil {
		ctx.Authentication.ClientCert = events.APIGatewayV2HTTPRequestContextAuthenticationClientCert{
			ClientCertPem: c.PEM, IssuerDN: c.IssuerDN, SerialNumber: c.SerialNumber, SubjectDN: c.SubjectDN,
			Validity: events.APIGatewayV2HTTPRequestContextAuthenticationClientCertValidity{NotBefore: c.NotBefore, NotAfter: c.NotAfter},
		}
	}
	var err error
	ctx.Authorizer, err = r.authorizer2()
	return out, err
}

// authorizer2 returns the authorizer's context in format 2.0: from the event, or
// converted.
func (r *Request) authorizer2() (*events.APIGatewayV2HTTPRequestContextAuthorizerDescription, error) {
	out := new(events.APIGatewayV2HTTPRequestContextAuthorizerDescription)
	raw := r.value(authorizerContext)
	if r.is(version, "2.0") && r.trigger != VPCLattice {
		if raw == nil {
			return nil, nil
		}
		return out, strictjson.Unmarshal(raw, out, strictjson.Options{})
	}
	if raw != nil {
		if err := strictjson.Unmarshal(raw, &out.Lambda, strictjson.Options{}); err != nil {
			return nil, err
		}
	}
	a := r.Authorized()
	if a.Claims != nil {
		out.JWT = &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: make(map[string]string, len(a.Claims)), Scopes: a.Scopes}
		for name, value := range a.Claims {
			if t, ok := value.(string); ok {
				out.JWT.Claims[name] = t
			}
		}
	}
	if r.trigger == VPCLattice && a.IAM != nil && a.IAM.ARN != "" {
		out.IAM = &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: a.IAM.ARN}
	}
	if len(out.Lambda) == 0 && out.IAM == nil {
		return nil, nil
	}
	return out, nil
}

// table returns the members of an object of strings, nil if there is none.
func (r *Request) table(m member) map[string]string {
	if !r.has(m) {
		return nil
	}
	all := map[string]string{}
	for name, value := range r.all(m) {
		all[name] = value
	}
	return all
}

// joinedQuery returns the query as format 2.0 has it, nil if there is none.
func (r *Request) joinedQuery() map[string]string {
	joined := map[string]string{}
	if _, ok := r.sentQuery(); ok && r.trigger == VPCLattice { // it says more than the parameters
		for name, values := range r.Query() {
			joined[name] = strings.Join(values, ",")
		}
	} else {
		for _, p := range r.Params() {
			joined[p.Name] = strings.Join(p.Values, ",")
		}
	}
	if len(joined) == 0 {
		return nil
	}
	return joined
}
