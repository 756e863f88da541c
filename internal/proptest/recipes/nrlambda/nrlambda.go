// Package nrlambda stands in for github.com/newrelic/go-agent/v3/integrations/nrlambda,
// on the real agent. Its wrapper has the signature and the order of steps of
// https://github.com/newrelic/go-agent/blob/master/v3/integrations/nrlambda/handler.go:
// the transaction is in the context and ended by a deferred call, and an error of the
// handler is noticed. The original also adds the request id and sets the
// handlertrace of aws-lambda-go, which only handlers of lambda.NewHandler call.
package nrlambda

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/newrelic/go-agent/v3/newrelic"
)

// WrapHandler has the signature of the original.
func WrapHandler(next lambda.Handler, app *newrelic.Application) lambda.Handler {
	return &handler{next, app}
}

type handler struct {
	next lambda.Handler
	app  *newrelic.Application
}

// Invoke is like the original.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	txn := h.app.StartTransaction("function")
	defer txn.End()
	out, err := h.next.Invoke(newrelic.NewContext(ctx, txn), payload)
	if err != nil {
		txn.NoticeError(err)
	}
	return out, err
}
