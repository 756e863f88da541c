package dynamo

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/internal/random"
)

// contention is how long a claim or release is retried while another transaction
// uses its item.
const contention = 2 * time.Second

// retryWhile repeats a request while mayPass reports that its error is temporary.
// The pauses grow, and it stops at limit or at the end of ctx. Network errors are
// left to the client's own retries.
func retryWhile(ctx context.Context, limit time.Duration, mayPass func(error) bool, request func() error) error {
	const shortest, longest = 10 * time.Millisecond, 500 * time.Millisecond
	pause := shortest
	for start := time.Now(); ; pause = min(2*pause, longest) {
		err := request()
		if err == nil || !mayPass(err) || time.Since(start)+pause > limit {
			return err
		}
		timer := time.NewTimer(pause/2 + random.N(pause/2)) // not all at once
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// isConflict reports whether another transaction was on the same item.
func isConflict(err error) bool {
	var conflict *types.TransactionConflictException
	return errors.As(err, &conflict)
}

// isBusy reports whether the same transaction may succeed later: it failed only
// because of conflicts or throttling.
func isBusy(err error) bool {
	reasons := reasonsOf(err)
	if len(reasons) == 0 {
		throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes} // TransactionInProgressException among them
		return isConflict(err) || throttled.IsErrorThrottle(err) == aws.TrueTernary
	}
	busy := false
	for _, reason := range reasons {
		switch code := aws.ToString(reason.Code); {
		case isTransient(code):
			busy = true
		case code != "" && code != codeNone:
			return false
		}
	}
	return busy
}

func isTransient(code string) bool {
	return slices.Contains([]string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}, code)
}

// isRefusal reports whether a request will never be carried out: the server said
// so, or the client found it incomplete and did not send it.
func isRefusal(err error) bool {
	var incomplete smithy.InvalidParamsError
	if errors.As(err, &incomplete) {
		return true
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorFault() == smithy.FaultServer || isBusy(err) {
		return false
	}
	var res *smithyhttp.ResponseError
	return !errors.As(err, &res) || res.HTTPStatusCode() < http.StatusInternalServerError
}
