package guard

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// ColdStart reports whether the invocation of ctx is the first of its process
// and had to wait for the process to start, or with SnapStart to be restored. With
// provisioned concurrency and on managed instances none does. It returns false outside
// an invocation.
func ColdStart(ctx context.Context) bool {
	inv := invocation.Of(ctx)
	return inv != nil && inv.Cold
}

// TraceID returns the X-Ray trace id of the invocation, the Root of the tracing
// header: 1-5759e988-bd862e3fe1be46a994272793. It returns "" if there is none.
// The id is read from the context, because concurrent invocations overwrite the
// environment variable.
func TraceID(ctx context.Context) string { return invocation.TraceID(ctx) }

// CorrelationID returns the id that [Correlate] found for the invocation of ctx,
// to be sent on to other services; "" if there is none.
func CorrelationID(ctx context.Context) string {
	if inv := invocation.Of(ctx); inv != nil {
		return inv.Facts().Correlation
	}
	return ""
}

// Principal returns the authenticated caller, which an outer layer has set; "" if
// none has.
func Principal(ctx context.Context) string {
	if inv := invocation.Of(ctx); inv != nil {
		return inv.Facts().Principal
	}
	return ""
}

// AddAttrs adds attributes to the record that [Log] writes at the end of the
// invocation of ctx. It is safe for concurrent use and does nothing outside an
// invocation. The last attribute of a key counts. The members of a group without a
// key are added themselves. An error is described as in error.cause of [Log]. In the
// context of a record of a batch, the attributes are for the record of its failure
// instead, if it fails.
func AddAttrs(ctx context.Context, attrs ...slog.Attr) {
	if inv := invocation.Of(ctx); inv != nil {
		inv.AddAttrs(attrs)
	}
}

// requestID returns the id of the invocation, "" outside one.
func requestID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}

// setError sets the error in the record of the invocation.
func setError(ctx context.Context, err error) {
	if inv := invocation.Of(ctx); inv != nil {
		inv.SetError(err)
	}
}
