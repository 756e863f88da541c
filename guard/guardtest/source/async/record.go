package async

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// The conditions of invocation records. No page lists them: the first two are in AWS's
// examples, the others in what LocalStack's tests have recorded.
const (
	success          = "Success"
	retriesExhausted = "RetriesExhausted"
	ageExceeded      = "EventAgeExceeded"
	zeroConcurrency  = "ZeroReservedConcurrency"
)

// What Lambda's API says to a caller that it throttles.
const (
	throttledCode    = "429"
	throttledMessage = "Rate Exceeded."
)

// version is that of the function.
const version = "$LATEST"

// An invocationRecord is what a destination gets. An event that never reached the
// function has no response.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type invocationRecord struct {
	Version         string              `json:"version"`
	Timestamp       string              `json:"timestamp"`
	RequestContext  wire.RequestContext `json:"requestContext"`
	RequestPayload  json.RawMessage     `json:"requestPayload"`
	ResponseContext *responseContext    `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage     `json:"responsePayload,omitempty"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// record returns the record of the last invocation. An answer that is not JSON is null
// in it.
func (a *Queue) record(c *queued, condition string) source.Letter {
	r := invocationRecord{
		Version:   "1.0",
		Timestamp: a.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: wire.RequestContext{
			RequestID: c.call.RequestID, FunctionARN: a.cfg.ARN + ":" + version, Condition: condition, ApproximateInvokeCount: c.invokes,
		},
		RequestPayload: c.call.Payload,
	}
	if c.last != nil {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: version}
		if c.last.failure != nil {
			r.ResponseContext.FunctionError = "Unhandled"
		}
		r.ResponsePayload = json.RawMessage("null")
		if json.Valid(c.last.payload) {
			r.ResponsePayload = c.last.payload
		}
	}
	to := a.cfg.OnFailure
	if condition == success {
		to = a.cfg.OnSuccess
	}
	switch to.Service() {
	case "events":
		return source.Letter{Body: a.busEvent(r, to.ARN())}
	case "s3":
		return source.Letter{Body: string(wire.Marshal(r)), Key: a.objectKey()}
	}
	return source.Letter{Body: string(wire.Marshal(r))}
}

// deadLetter returns what a dead-letter queue gets: the event as it is, and why it
// failed. For an event that never reached the function the code is that of the API.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
func (a *Queue) deadLetter(c *queued) source.Letter {
	code, message := "200", ""
	switch {
	case c.last != nil && c.last.failure != nil:
		message = c.last.failure.Message
	case c.why == source.ServiceFailure:
		code, message = "500", "ServiceException"
	default:
		code, message = throttledCode, throttledMessage
	}
	l := source.Letter{Body: string(c.call.Payload), Attributes: map[string]source.Attribute{
		"RequestID": {DataType: "String", String: c.call.RequestID},
		"ErrorCode": {DataType: "Number", String: code},
	}}
	if message = first(message, 1<<10); message != "" { // an attribute is not empty
		l.Attributes["ErrorMessage"] = source.Attribute{DataType: "String", String: message}
	}
	return l
}

// first returns the first n bytes of a text, less a character that is cut.
func first(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// busEvent is a record on an event bus. AWS's page has the source aws.lambda and does
// not say which resource is first; what is here is what LocalStack's tests have recorded.
func (a *Queue) busEvent(r invocationRecord, bus string) string {
	result := "Failure"
	if r.RequestContext.Condition == success {
		result = "Success"
	}
	return string(wire.Marshal(struct {
		Version    string           `json:"version"`
		ID         string           `json:"id"`
		DetailType string           `json:"detail-type"`
		Source     string           `json:"source"`
		Account    string           `json:"account"`
		Time       string           `json:"time"`
		Region     string           `json:"region"`
		Resources  []string         `json:"resources"`
		Detail     invocationRecord `json:"detail"`
	}{
		"0", ids.UUID(), "Lambda Function Invocation Result - " + result, "lambda", guardtest.AccountID,
		a.clock.Now().UTC().Format(time.RFC3339), strings.Split(a.cfg.ARN, ":")[3],
		[]string{bus, r.RequestContext.FunctionARN},
		r,
	}))
}

// objectKey is the name of a record in a bucket.
func (a *Queue) objectKey() string {
	now := a.clock.Now().UTC()
	name := a.cfg.ARN[strings.LastIndex(a.cfg.ARN, ":")+1:]
	return "aws/lambda/async/" + name + now.Format("/2006/01/02/2006-01-02T15.04.05-") + ids.UUID()
}
