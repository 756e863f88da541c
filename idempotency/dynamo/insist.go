package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// insist sends a request again, after longer and longer pauses, for as long as
// its error passes; at most until limit or the end of ctx. Over what the network
// does the client's own retries get.
func insist(ctx context.Context, limit time.Duration, passes func(error) bool, request func() error) error {
	const shortest, longest = 10 * time.Millisecond, 500 * time.Millisecond
	pause := shortest
	for start := time.Now(); ; pause = min(2*pause, longest) {
		err := request()
		if err == nil || !passes(err) || time.Since(start)+pause > limit {
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2)) // not all at once
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// conflicts reports whether a transaction under way was on the same item.
func conflicts(err error) bool {
	var conflict *types.TransactionConflictException
	return errors.As(err, &conflict)
}

// passes reports whether the same transaction may succeed later: all that was
// in its way is others, or how many they are.
func passes(err error) bool {
	if reasons := reasonsOf(err); len(reasons) > 0 {
		some := false
		for _, reason := range reasons {
			switch code := aws.ToString(reason.Code); {
			case isTransient(code):
				some = true
			case code != "" && code != codeNone:
				return false
			}
		}
		return some
	}
	throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes} // TransactionInProgressException among them
	return conflicts(err) || throttled.IsErrorThrottle(err) == aws.TrueTernary
}

// isRefusal reports whether a request is one that will never be carried out: the
// server has answered so, or the client finds it incomplete and has not sent it.
func isRefusal(err error) bool {
	var incomplete smithy.InvalidParamsError
	if errors.As(err, &incomplete) {
		return true
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorFault() == smithy.FaultServer || passes(err) {
		return false
	}
	var res *smithyhttp.ResponseError
	return !errors.As(err, &res) || res.HTTPStatusCode() < http.StatusInternalServerError
}
