package xray

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-xray-sdk-go/xray"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

// Instrument makes the clients that are made of cfg record each call as a
// subsegment named by the service, and send the tracing header with it. The
// call's context must come from the invocation; calls with another one are made
// as they are. A presigned request is no call. Instrument twice is as good as once. It
// panics if cfg is nil.
//
// Recorded are the operation, the region, the request id and the status: no
// parameters and nothing of the answer. A 4xx is an error and not a fault, so that
// the failed condition of a claim does not look like a broken table. An error that
// the AWS SDK takes for throttling is a throttle, also with another status than 429.
//
// Without Instrument the AWS SDK takes the header from the environment, where
// invocations at the same time overwrite it.
func Instrument(cfg *aws.Config) {
	if cfg == nil {
		panic("xray: Instrument needs an aws.Config")
	}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), recordCalls)
}

// middlewareName is that of a middleware in its step of the AWS SDK's stack.
const middlewareName = "lambdarmor.xray"

func recordCalls(stack *middleware.Stack) error {
	if _, ok := stack.Initialize.Get(middlewareName); ok {
		return nil
	}
	if _, ok := stack.Deserialize.Get("OperationDeserializer"); !ok {
		return nil // a presigned request, which has no answer
	}
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc(middlewareName, recordCall), middleware.After),
		// Before the AWS SDK's own, which leaves a header that is there.
		stack.Build.Add(middleware.BuildMiddlewareFunc(middlewareName, setHeader), middleware.Before),
	)
}

func recordCall(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	ctx, seg := begin(ctx, awsmiddleware.GetServiceID(ctx))
	if seg == nil {
		return next.HandleInitialize(ctx, in)
	}
	seg.Lock()
	seg.Namespace = "aws"
	seg.GetAWS()["operation"] = awsmiddleware.GetOperationName(ctx)
	seg.GetAWS()["region"] = awsmiddleware.GetRegion(ctx)
	seg.Unlock()
	status := unreturned.status
	defer func() { end(seg, status, err) }()
	out, metadata, err = next.HandleInitialize(ctx, in)
	status = describe(seg, metadata, err)
	return out, metadata, err
}

// describe adds what is known after a call. It returns the status, 0 if there was
// no answer.
func describe(seg *sdk.Segment, metadata middleware.Metadata, err error) int {
	status := 0
	if resp, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		status = resp.StatusCode
	}
	seg.Lock()
	defer seg.Unlock()
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		seg.GetAWS()[sdk.RequestIDKey] = shortened(id, longestName)
	}
	if status != 0 {
		seg.GetHTTP().Response = &sdk.ResponseData{Status: status}
	}
	if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary {
		return http.StatusTooManyRequests
	}
	return status
}

func setHeader(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	here := current(ctx)
	if req, ok := in.Request.(*smithyhttp.Request); ok && here != nil {
		req.Header.Set(amzntrace.Name, amzntrace.Encode(headerOf(here)))
	}
	return next.HandleBuild(ctx, in)
}
