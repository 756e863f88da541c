package largemessage

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/lambdarmor/lambdarmor/guard"
)

// explain returns an error of GetObject with its kind:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
func (f *fetcher) explain(err error) error {
	var missing *types.NoSuchKey
	switch {
	case errors.As(err, &missing):
		return guard.Errorf(f.missing, "payload_missing", "The payload does not exist.", err)
	case unavailable(err):
		return guard.Errorf(guard.Unavailable, "payload_unavailable", "The payload could not be read.", err)
	default:
		return guard.Errorf(guard.Internal, "payload_refused", "The payload could not be read.", err)
	}
}

// unavailable reports whether S3 did not answer, or was too busy to.
func unavailable(err error) bool {
	var network net.Error // a context's deadline is one
	var response *smithyhttp.ResponseError
	var api smithy.APIError
	if errors.As(err, &network) || errors.Is(err, context.Canceled) {
		return true
	}
	if errors.As(err, &api) {
		_, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
		if throttled {
			return true
		}
	}
	return errors.As(err, &response) && (response.HTTPStatusCode() >= 500 || response.HTTPStatusCode() == http.StatusTooManyRequests)
}
