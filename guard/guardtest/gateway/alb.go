package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// ALBConfig describes a target group of an Application Load Balancer. The zero
// value sends every request to the function, with one value for each name.
type ALBConfig struct {
	// MultiValueHeaders sends lists of values, and expects them in answers.
	MultiValueHeaders bool

	// Timeout for the function; 15 minutes when 0, as a load balancer waits for as
	// long as a function may take.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that was answered 502
	// because of the function. It is not called when the client has left.
	Failed func(requestID string, err error)
}

// ALB is an Application Load Balancer in front of one function, an
// [http.Handler]. It is safe for concurrent use.
//
//   - The path and the query are as they were sent: names and values are not
//     decoded. Names of headers are in lower case. Of several values the last one
//     is sent, or a list of all with multi-value headers.
//   - A body is base64 unless its type is textual and it is not compressed.
//   - A body over 1 MB is 413, an upgrade 400.
//   - Any failure of the function is 502. So is an answer over 1 MB, or a malformed
//     one. That has no numeric statusCode, a null member, a header that is not a
//     string, or only the other form of headers.
//
// See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
type ALB struct {
	fn  guardtest.Invoker
	cfg ALBConfig
}

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
	req, status := event.Read(w, r, answer.MaxALB)
	if req == nil {
		answerALB(w, status)
		return
	}
	got, requestID, err := invoke(a.fn, req, req.ALB(a.cfg.MultiValueHeaders), a.cfg.Timeout, func(result guardtest.Result) (answer.Response, error) {
		return answer.ParseALB(result.Payload, a.cfg.MultiValueHeaders)
	})
	switch {
	case err == nil:
		got.Write(w, "")
	case r.Context().Err() == nil: // or else the client is gone
		if a.cfg.Failed != nil {
			a.cfg.Failed(requestID, err)
		}
		answerALB(w, http.StatusBadGateway)
	}
}

// answerALB answers with the page that a load balancer makes.
func answerALB(w http.ResponseWriter, status int) {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}
