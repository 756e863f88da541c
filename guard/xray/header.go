package xray

import (
	"context"
	"strings"

	"github.com/aws/aws-xray-sdk-go/header"
	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
)

const (
	errNoHeader = guard.Reason("the context has no tracing header")
	errHeader   = guard.Reason("the tracing header is not of the form Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
)

// headerOf returns the tracing header of the invocation, and of its fields only
// those that are known and well-formed. The SDK's own reader keeps whatever it
// finds, to send it on, and panics if the value is not a string.
// See https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func headerOf(ctx context.Context) (*header.Header, error) {
	text, _ := ctx.Value(sdk.LambdaTraceHeaderKey).(string)
	if text == "" {
		return nil, unreadable(errNoHeader)
	}
	var root, parent, sampled, lineage string
	for field := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var to *string
		switch key {
		case "Root":
			to = &root
		case "Parent":
			to = &parent
		case "Sampled":
			to = &sampled
		case "Lineage":
			to = &lineage
		default:
			continue
		}
		if *to != "" { // which one counts would be a guess
			return nil, unreadable(errHeader)
		}
		*to = value
	}
	if !isRoot(root) || parent != "" && !isHex(parent, 16) || parent == "" && sampled == "1" {
		return nil, unreadable(errHeader)
	}
	h := &header.Header{TraceID: root, ParentID: parent, SamplingDecision: header.NotSampled}
	if sampled == "1" {
		h.SamplingDecision = header.Sampled
	}
	if isLineage(lineage) {
		h.AdditionalData = map[string]string{"Lineage": lineage}
	}
	return h, nil
}

func unreadable(reason error) error {
	return &guard.Error{Kind: guard.Invalid, Code: "no_trace", Err: reason}
}

// isRoot reports whether s is a trace id like 1-5759e988-bd862e3fe1be46a994272793.
func isRoot(s string) bool {
	return len(s) == 35 && s[:2] == "1-" && s[10] == '-' && isHex(s[2:10], 8) && isHex(s[11:], 24)
}

// isLineage reports whether s may be what Lambda detects loops by, as in
// Lineage=1:12326a9d:0. AWS does not say how long it gets.
func isLineage(s string) bool {
	return s != "" && len(s) <= 256 && strings.Trim(s, "0123456789abcdef:|") == ""
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

// hexID returns a trace id of X-Ray as the 32 digits of W3C and OpenTelemetry.
func hexID(root string) string { return root[2:10] + root[11:] }
