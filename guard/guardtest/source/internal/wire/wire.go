// Package wire has what the events, answers and records of all sources have in common.
package wire

import (
	"bytes"
	"encoding/json"
)

// MaxEvent is the largest event of an invocation: "6 MB", which is 6 291 456 bytes.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEvent = 6 << 20

// Marshal returns v as JSON. It leaves <, > and & as they are, as AWS does. What the sources
// marshal is valid: Marshal panics if v is not.
func Marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("source: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// A RequestContext says in a record about a failure which invocation it was.
type RequestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}
