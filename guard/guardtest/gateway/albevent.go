package gateway

import (
	"encoding/base64"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// albEvent is a request as a load balancer sends it.
type albEvent struct {
	RequestContext albContext `json:"requestContext"`
	HTTPMethod     string     `json:"httpMethod"`
	Path           string     `json:"path"`

	// Of these, either the first of each or the second.
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitzero"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitzero"`
	Headers                         map[string]string   `json:"headers,omitzero"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitzero"`

	Body            string `json:"body"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

type albContext struct {
	ELB struct {
		TargetGroupARN string `json:"targetGroupArn"`
	} `json:"elb"`
}

const targetGroupARN = "arn:aws:elasticloadbalancing:us-east-1:" + guardtest.AccountID + ":targetgroup/shop/49e9d65c45c6791a"

func (req *request) albEvent(multi bool) []byte {
	e := albEvent{HTTPMethod: req.http.Method, Path: sentPath(req.http)}
	e.RequestContext.ELB.TargetGroupARN = targetGroupARN
	headers := req.lowerHeaders()
	query := sentQuery(req.http.URL.RawQuery)
	if multi {
		e.MultiValueHeaders, e.MultiValueQueryStringParameters = headers, query
	} else {
		e.Headers, e.QueryStringParameters = lastOf(headers), lastOf(query)
	}
	e.Body = string(req.body)
	if len(req.body) > 0 && !albText(req) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(req.body), true
	}
	return marshal(e)
}

// sentQuery has names and values as they were sent.
// See https://github.com/fastify/aws-lambda-fastify/issues/90
func sentQuery(raw string) map[string][]string {
	query := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if name, value, _ := strings.Cut(pair, "="); pair != "" {
			query[name] = append(query[name], value)
		}
	}
	return query
}

// albText tells whether a body is passed on as text.
func albText(req *request) bool {
	if req.header.Get("Content-Encoding") != "" || !utf8.Valid(req.body) {
		return false
	}
	media, _, _ := mime.ParseMediaType(req.header.Get("Content-Type"))
	switch media {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(media, "text/")
}
