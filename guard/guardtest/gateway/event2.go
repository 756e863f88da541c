package gateway

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// event2 is payload format 2.0. The types of aws-lambda-go's events package are
// for reading: they would write members that AWS leaves out.
type event2 struct {
	request2
	Body            string `json:"body,omitempty"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// request2 is what a function and an authorizer are told of a request alike.
type request2 struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        context2          `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
}

type context2 struct {
	AccountID    string         `json:"accountId"`
	APIID        string         `json:"apiId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         http2          `json:"http"`
	RequestID    string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"`
	TimeEpoch    int64          `json:"timeEpoch"`
}

type http2 struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// eventTime is the form of the time in requestContext, the Common Log Format's.
const eventTime = "02/Jan/2006:15:04:05 -0700"

func (req *request) event2(functionURL bool) event2 {
	body, isBase64 := req.encodedBody()
	return event2{request2: req.request2(functionURL), Body: body, IsBase64Encoded: isBase64}
}

func (req *request) request2(functionURL bool) request2 {
	accountID := guardtest.AccountID
	if functionURL && req.caller == nil {
		accountID = "anonymous" // a function URL names no account without IAM authorization
	}
	domainName, domainPrefix := req.domain()
	if functionURL && !strings.Contains(domainName, ".lambda-url.") { // it is reached by no other name
		domainName, domainPrefix = apiID+".lambda-url.us-east-1.on.aws", apiID
	}
	r := request2{
		Version:               format2,
		RouteKey:              req.route.key,
		RawPath:               req.paths.event,
		RawQueryString:        req.http.URL.RawQuery,
		Cookies:               req.cookies(),
		Headers:               req.joinedHeaders(),
		QueryStringParameters: joined(req.query()),
		PathParameters:        req.variables,
		StageVariables:        req.stageVariables,
		RequestContext: context2{
			AccountID:    accountID,
			APIID:        apiID,
			DomainName:   domainName,
			DomainPrefix: domainPrefix,
			HTTP: http2{
				Method:    req.http.Method,
				Path:      req.paths.context,
				Protocol:  req.http.Proto,
				SourceIP:  req.sourceIP(),
				UserAgent: req.http.UserAgent(),
			},
			RequestID: req.id,
			RouteKey:  req.route.key,
			Stage:     req.stage,
			Time:      req.at.Format(eventTime),
			TimeEpoch: req.at.UnixMilli(),
		},
	}
	r.RequestContext.Authorizer = req.authorizer2()
	return r
}

// authorizer2 is what an authorizer told. Without a context that is null.
func (req *request) authorizer2() map[string]any {
	switch {
	case req.admitted != nil:
		return map[string]any{"lambda": req.admitted.context}
	case req.caller != nil:
		return map[string]any{"iam": req.caller.iam()}
	case req.token != nil:
		return map[string]any{"jwt": req.token.told()}
	default:
		return nil
	}
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
	headers := make(map[string]string, len(req.header))
	for name, values := range req.header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return headers
}

func joined(values map[string][]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	m := make(map[string]string, len(values))
	for name, v := range values {
		m[name] = strings.Join(v, ",")
	}
	return m
}
