package invocation

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// CorrelationAttribute is the name of the message attribute with the correlation id.
const CorrelationAttribute = "correlationId"

// FitForHeader reports whether an id, which may come from a caller, is valid in a log
// and in a header.
func FitForHeader(id string) bool {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	return len(id) <= 128 && strings.IndexFunc(id, unfit) < 0
}

// Correlation returns the id that is sent to other services: the correlation id of the
// invocation of ctx, or else its request id, by which its records are found too. It
// returns "" if there is neither.
func Correlation(ctx context.Context) string {
	id := ""
	if inv := Of(ctx); inv != nil {
		id = inv.Facts().Correlation
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok && id == "" {
		id = lc.AwsRequestID
	}
	if !FitForHeader(id) {
		return ""
	}
	return id
}
