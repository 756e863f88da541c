package gateway

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
)

// ALBConfig describes a target group of an Application Load Balancer. The zero
// value sends every request to the function, with one value for each name.
type ALBConfig struct {
	// MultiValueHeaders sends lists of values, and expects them in answers.
	MultiValueHeaders bool

	// Timeout for the function; 15 minutes when 0, as a load balancer waits for as
	// long as a function may take.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that was answered 502
	// because of the function. It is not called when the client has left.
	Failed func(requestID string, err error)
}

// ALB is an Application Load Balancer in front of one function, an
// [http.Handler]. It is safe for concurrent use.
//
//   - The path and the query are as they were sent: names and values are not
//     decoded. Names of headers are in lower case. Of several values the last one
//     is sent, or a list of all with multi-value headers.
//   - A body is base64 unless its type is textual and it is not compressed.
//   - A body over 1 MB is 413, an upgrade 400.
//   - Any failure of the function is 502. So is an answer over 1 MB or out of form:
//     without a numeric statusCode, with null for a member, with a header that is
//     not a string, or with headers of the other form alone.
//
// See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
type ALB struct {
	fn  guardtest.Invoker
	cfg ALBConfig
}

// maxALB is the limit on the body of a request and on the JSON of an answer.
const maxALB = 1 << 20

// NewALB returns a load balancer that calls fn. It fails when fn is nil or the
// timeout is negative.
func NewALB(fn guardtest.Invoker, cfg ALBConfig) (*ALB, error) {
	if fn == nil {
		return nil, errors.New("gateway: a load balancer needs a function")
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("gateway: a load balancer's timeout of %s is negative", cfg.Timeout)
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 15*time.Minute)
	return &ALB{fn: fn, cfg: cfg}, nil
}

// ServeHTTP takes a request through the steps of a load balancer.
func (a *ALB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		answerALB(w, http.StatusBadRequest)
		return
	}
	req, status := newRequest(w, r, maxALB)
	if req == nil {
		answerALB(w, status)
		return
	}
	answer, requestID, err := req.call(a.fn, marshal(req.albEvent(a.cfg.MultiValueHeaders)), a.cfg.Timeout, a.parse)
	switch {
	case err == nil:
		answer.write(w, "")
	case r.Context().Err() == nil: // or else the client is gone
		if a.cfg.Failed != nil {
			a.cfg.Failed(requestID, err)
		}
		answerALB(w, http.StatusBadGateway)
	}
}

const targetGroupARN = "arn:aws:elasticloadbalancing:us-east-1:" + guardtest.AccountID + ":targetgroup/shop/49e9d65c45c6791a"

func (req *request) albEvent(multi bool) object {
	e := object{
		"requestContext": object{"elb": object{"targetGroupArn": targetGroupARN}},
		"httpMethod":     req.http.Method, "path": route.Sent(req.http),
		"body": string(req.body), "isBase64Encoded": false,
	}
	headers, query := req.lowerHeaders(), sentQuery(req.http.URL.RawQuery)
	if multi {
		e["multiValueHeaders"], e["multiValueQueryStringParameters"] = headers, query
	} else {
		e["headers"], e["queryStringParameters"] = lastOf(headers), lastOf(query)
	}
	if len(req.body) > 0 && !albText(req) {
		e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString(req.body), true
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
func albText(req *request) bool {
	media, _, _ := mime.ParseMediaType(req.header.Get("Content-Type"))
	return req.header.Get("Content-Encoding") == "" && utf8.Valid(req.body) && (isPlainText(media) || strings.HasPrefix(media, "text/"))
}

// answerALB answers with the page that a load balancer makes.
func answerALB(w http.ResponseWriter, status int) {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}
