package request

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Format2 returns the request as an event of payload format 2.0. The error is
// that of what an authorizer says in another form than AWS sends.
func (r *Request) Format2() (*events.APIGatewayV2HTTPRequest, error) {
	body, isBase64 := r.RawBody()
	out := &events.APIGatewayV2HTTPRequest{
		Version:         r.Version(),
		RouteKey:        r.RouteKey(),
		RawPath:         r.RawPath(),
		RawQueryString:  r.RawQuery(),
		Headers:         map[string]string{},
		PathParameters:  r.table(pathParameters),
		StageVariables:  r.table(stageVariables),
		Body:            unquote(body),
		IsBase64Encoded: isBase64,
	}
	for _, h := range r.Headers() {
		out.Headers[h.Name] = h.Value
	}
	if out.Cookies = r.Cookies(); out.Version != "2.0" || r.trigger == VPCLattice {
		delete(out.Headers, "cookie")
	}
	out.QueryStringParameters = r.joinedParams()
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

// authorizer2 returns what the gateway says of the caller in format 2.0: as the
// event has it, or as it would have it.
func (r *Request) authorizer2() (*events.APIGatewayV2HTTPRequestContextAuthorizerDescription, error) {
	out := new(events.APIGatewayV2HTTPRequestContextAuthorizerDescription)
	if r.is(version, "2.0") && r.trigger != VPCLattice {
		raw := r.value(authorizerContext)
		if raw == nil {
			return nil, nil
		}
		if err := strictjson.Unmarshal(raw, out, strictjson.Options{}); err != nil {
			return nil, err
		}
		return out, nil
	}
	if raw := r.value(authorizerContext); raw != nil {
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

// table returns the members of an object of strings, nil where there is none.
func (r *Request) table(m member) map[string]string {
	if !r.has(m) {
		return nil
	}
	all := map[string]string{}
	for _, p := range r.pairs {
		if p.of == m {
			all[unquote(r.slice(p.name))] = unquote(r.slice(p.value))
		}
	}
	return all
}

// joinedParams returns the query as format 2.0 has it, nil where there is none.
func (r *Request) joinedParams() map[string]string {
	params := r.Params()
	if r.trigger == VPCLattice {
		if _, raw, ok := strings.Cut(r.text(path), "?"); ok { // says more than what was made of it
			values, _ := url.ParseQuery(raw)
			params = nil
			for name, all := range values {
				params = append(params, Param{name, all})
			}
		}
	}
	if len(params) == 0 {
		return nil
	}
	joined := make(map[string]string, len(params))
	for _, p := range params {
		joined[p.Name] = strings.Join(p.Values, ",")
	}
	return joined
}
