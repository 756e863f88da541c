package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// ALBConfig describes a target group of an Application Load Balancer. The zero
// value sends every request to the function, with one value for each name.
type ALBConfig struct {
	// MultiValueHeaders sends lists of values, and takes them in answers.
	MultiValueHeaders bool

	// LoseOtherHeaders drops an answer's headers of the other form, where the
	// default is 502. The load balancer does so by
	// https://github.com/dougmoscrop/serverless-http/pull/283, and answers 502 by
	// https://github.com/aws-powertools/powertools-lambda-python/issues/1450
	LoseOtherHeaders bool

	// Timeout for the function; 15 minutes when 0, as a load balancer waits for as
	// long as a function may take.
	Timeout time.Duration

	// Failed, when not nil, is told of every request that was answered 502 for the
	// function's sake, and why. The client's leaving is no failure.
	Failed func(requestID string, err error)
}

// ALB is an Application Load Balancer in front of one function: an
// [http.Handler] that turns requests into events and the function's answers into
// responses. Safe for concurrent use.
//
//   - The path and the query are as they were sent: names and values are not
//     decoded. Names of headers are in lower case. Of several values the last one
//     is sent, or a list of all with multi-value headers.
//   - A body is base64 unless its type is textual and it is not compressed.
//   - A body over 1 MB is 413, an upgrade 400.
//   - Any failure of the function is 502, as is an answer over 1 MB or out of form:
//     one without a numeric statusCode, with null for a member, with a header that
//     is not a string, or with headers of the other form.
//
// See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
type ALB struct {
	fn  guardtest.Invoker
	cfg ALBConfig
}

// maxALB is the limit on the body of a request and on the JSON of an answer.
const maxALB = 1 << 20

var errALBTimeout = fmt.Errorf("gateway: the function did not answer the load balancer: %w", context.DeadlineExceeded)

// NewALB returns a load balancer that calls fn. It fails when fn is nil or the
// timeout is negative.
func NewALB(fn guardtest.Invoker, cfg ALBConfig) (*ALB, error) {
	if fn == nil {
		return nil, errors.New("gateway: a load balancer needs a function")
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("gateway: a load balancer's timeout of %s is negative", cfg.Timeout)
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 15*time.Minute)
	return &ALB{fn: fn, cfg: cfg}, nil
}

// ServeHTTP takes a request through the steps of a load balancer.
func (a *ALB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		answerALB(w, http.StatusBadRequest)
		return
	}
	req, err := newRequest(w, r, maxALB)
	if err != nil {
		status := http.StatusBadRequest // or the client is gone
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		answerALB(w, status)
		return
	}
	ctx, done := waitAtMost(r.Context(), a.cfg.Timeout, errALBTimeout)
	defer done()
	result, err := a.fn.Do(ctx, guardtest.Call{Payload: req.albEvent(a.cfg.MultiValueHeaders), TraceID: req.trace})
	if err == nil {
		var answer response
		if answer, err = parseALB(result.Payload, a.cfg); err == nil {
			answer.writeALB(w)
			return
		}
	}
	if r.Context().Err() != nil {
		return // the client is gone
	}
	if a.cfg.Failed != nil {
		a.cfg.Failed(result.RequestID, err)
	}
	answerALB(w, http.StatusBadGateway)
}
