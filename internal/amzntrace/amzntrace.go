// Package amzntrace reads and writes the tracing header X-Amzn-Trace-Id.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package amzntrace

import (
	"context"
	"strings"
)

// Name is the name of the header.
const Name = "X-Amzn-Trace-Id"

// FromContext returns the header of the invocation, which aws-lambda-go has put into
// its context. The environment has that of another one, if there are several at once.
func FromContext(ctx context.Context) Header {
	text, _ := ctx.Value("x-amzn-trace-id").(string)
	return Parse(text)
}

// Header is a tracing header. A field that is absent or not well-formed is empty.
type Header struct {
	Root    string // "1-5759e988-bd862e3fe1be46a994272793", in lower case
	Parent  string // 16 hexadecimal digits in lower case
	Sampled string // "1", "0" or "?", which asks the receiver to decide
	Lineage string // what Lambda counts to find loops, passed on as it came
}

// mostLineage is longer than any lineage that Lambda makes: it ends a loop after 16
// invocations.
const mostLineage = 256

// Parse reads a header. It drops fields that it does not know, such as Self, and those
// that a client may have added. Of two well-formed fields with one name, the first one
// counts. A Lineage may be encoded as by Encode.
func Parse(text string) Header {
	var h Header
	for text != "" {
		var field string
		field, text, _ = strings.Cut(text, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case strings.EqualFold(name, "Root"):
			if root := strings.ToLower(value); h.Root == "" && isRoot(root) {
				h.Root = root
			}
		case strings.EqualFold(name, "Parent"):
			if parent := strings.ToLower(value); h.Parent == "" && len(parent) == 16 && isID(parent) {
				h.Parent = parent
			}
		case strings.EqualFold(name, "Sampled"):
			if h.Sampled == "" && (value == "1" || value == "0" || value == "?") {
				h.Sampled = value
			}
		case strings.EqualFold(name, "Lineage"):
			lineage := strings.ReplaceAll(value, encodedBar, "|")
			if h.Lineage == "" && len(lineage) <= mostLineage && consistsOf(lineage, isLineage) {
				h.Lineage = lineage
			}
		}
	}
	return h
}

// String returns the header, "" without a Root.
func (h Header) String() string {
	if h.Root == "" {
		return ""
	}
	s := "Root=" + h.Root
	if h.Parent != "" {
		s += ";Parent=" + h.Parent
	}
	if h.Sampled != "" {
		s += ";Sampled=" + h.Sampled
	}
	if h.Lineage != "" {
		s += ";Lineage=" + h.Lineage
	}
	return s
}

const encodedBar = "%7C"

// Encode returns a header as the AWS SDK sends it, with "%7C" for the one character of
// a Lineage that it encodes.
func Encode(header string) string { return strings.ReplaceAll(header, "|", encodedBar) }

// TraceID returns the trace id as W3C Trace Context writes it: the 32 digits of Root.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func (h Header) TraceID() string {
	if h.Root == "" {
		return ""
	}
	return h.Root[2:10] + h.Root[11:]
}

// isRoot reports whether s has the form 1-8 digits-24 digits.
func isRoot(s string) bool {
	return len(s) == 35 && s[:2] == "1-" && s[10] == '-' && isID(s[2:10]+s[11:])
}

// isID reports whether s consists of hexadecimal digits, not all of them 0.
func isID(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return strings.Trim(s, "0") != ""
}

func isHex(c byte) bool { return c-'0' < 10 || c-'a' < 6 } // a byte below wraps around

// isLineage allows what was seen: "1:a87bd80c:0" and "a87bd80c:0|68fd508a:5".
func isLineage(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == ':' || c == '|' || c == '-'
}

func consistsOf(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
