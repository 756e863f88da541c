package event

import (
	"encoding/base64"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
)

const targetGroupARN = "arn:aws:elasticloadbalancing:us-east-1:" + guardtest.AccountID + ":targetgroup/shop/49e9d65c45c6791a"

// ALB is the event of a load balancer, with lists of values when multi is true.
func (req *Request) ALB(multi bool) Object {
	e := Object{
		"requestContext": Object{"elb": Object{"targetGroupArn": targetGroupARN}},
		"httpMethod":     req.HTTP.Method, "path": route.Sent(req.HTTP),
		"body": string(req.Body), "isBase64Encoded": false,
	}
	headers, query := req.LowerHeaders(), sentQuery(req.HTTP.URL.RawQuery)
	if multi {
		e["multiValueHeaders"], e["multiValueQueryStringParameters"] = headers, query
	} else {
		e["headers"], e["queryStringParameters"] = lastOf(headers), lastOf(query)
	}
	if len(req.Body) > 0 && !albText(req) {
		e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString(req.Body), true
	}
	return e
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

// albText reports whether a body is passed on as text.
func albText(req *Request) bool {
	media, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return req.Header.Get("Content-Encoding") == "" && utf8.Valid(req.Body) && (isPlainText(media) || strings.HasPrefix(media, "text/"))
}
