// Package awserror says what the errors of AWS's API clients mean for a source
// of secrets, and keeps out of them what may be part of a value.
package awserror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// Codes gives what a service's own error codes mean: one of the secrets
// package's errors, or nil for a code that is not the service's own.
type Codes func(code string) error

var errUnreadable = reason.New("the answer could not be read")

// Explain names what an error is about and, where there is a name for it, what
// it means.
func (own Codes) Explain(what string, err error) error {
	meaning := own.meaning(err)
	err = withoutAnswer(err)
	if meaning == nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %w", what, meaning, err)
}

// Final reports whether an error is the service's answer.
func (own Codes) Final(err error) bool {
	return !errors.Is(err, context.Canceled) && own.meaning(err) != secrets.ErrUnavailable
}

// withoutAnswer is the error without what could not be read of an answer: it may
// be a part of a value.
func withoutAnswer(err error) error {
	var unread *smithy.DeserializationError
	if !errors.As(err, &unread) && !quotes(err) {
		return err
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return fmt.Errorf("%w: %w", errUnreadable, end)
		}
	}
	return errUnreadable
}

// broken begins what net/http says when it could not read an answer.
const broken = "net/http: HTTP/1.x transport connection broken: "

// quotes reports whether an error is that of an answer which is no HTTP.
func quotes(err error) bool {
	var sent *url.Error
	return errors.As(err, &sent) && strings.HasPrefix(sent.Err.Error(), broken) && fetch.Repeats(sent.Err)
}

// meaning gives the one of the secrets package's errors that fits, or nil.
func (own Codes) meaning(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code := api.ErrorCode()
		if meaning := own(code); meaning != nil {
			return meaning
		}
		if meaning := common(code); meaning != nil {
			return meaning
		}
		if api.ErrorFault() == smithy.FaultServer {
			return secrets.ErrUnavailable
		}
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		switch status := response.HTTPStatusCode(); {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return secrets.ErrDenied
		case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
			return secrets.ErrUnavailable
		}
	}
	if unreachable(err) {
		return secrets.ErrUnavailable
	}
	return nil
}

// held is what the SDK says, and has no type for, of a request that its own rate
// limit has not let go: in the adaptive mode, after the service has throttled.
const held = "failed to get retry Send token"

// unreachable is for what keeps a request from having an answer.
func unreachable(err error) bool {
	var network net.Error
	var unread *smithy.DeserializationError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) || errors.As(err, &unread) ||
		strings.Contains(err.Error(), held)
}
