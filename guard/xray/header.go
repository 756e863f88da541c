package xray

import (
	"context"

	"github.com/aws/aws-xray-sdk-go/header"
	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

const (
	errNoHeader = guard.Reason("the context has no tracing header")
	errHeader   = guard.Reason("the tracing header is not of the form Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
)

// received returns the tracing header of the invocation. The SDK's own reader
// keeps all that it finds, to send it on, and panics if the value is not a string.
func received(ctx context.Context) (amzntrace.Header, error) {
	text, _ := ctx.Value(sdk.LambdaTraceHeaderKey).(string)
	if text == "" {
		return amzntrace.Header{}, untraced(errNoHeader)
	}
	h := amzntrace.Parse(text)
	if h.Root == "" || h.Sampled == "1" && h.Parent == "" {
		return amzntrace.Header{}, untraced(errHeader)
	}
	return h, nil
}

func untraced(reason error) error {
	return &guard.Error{Kind: guard.Invalid, Code: "no_trace", Err: reason}
}

// forSDK returns a header as the SDK has it, with the decision not to record where
// there is none: in Lambda it is made.
func forSDK(h amzntrace.Header) *header.Header {
	s := &header.Header{TraceID: h.Root, ParentID: h.Parent, SamplingDecision: header.NotSampled}
	if h.Sampled == "1" {
		s.SamplingDecision = header.Sampled
	}
	if h.Lineage != "" {
		s.AdditionalData = map[string]string{"Lineage": h.Lineage}
	}
	return s
}

// headerOf returns the header of a call within seg. The id of an unsampled subsegment is
// all zeros, so Lambda's segment is the parent there.
func headerOf(seg *sdk.Segment) string {
	if !seg.ParentSegment.Sampled {
		seg = seg.ParentSegment
	}
	return seg.DownstreamHeader().String()
}
