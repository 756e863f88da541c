// Package awserror maps errors of AWS's API clients to errors of package secrets,
// and removes texts that may be part of a value.
package awserror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// Codes returns the error of package secrets for an error code of one service, or
// nil for any other code.
type Codes func(code string) error

// Explain wraps err with what it is about and, if there is one, with the matching
// error of package secrets.
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

var errUnreadable = reason.New("the answer could not be read")

// withoutAnswer replaces an error that may quote the answer.
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

// quotes reports whether net/http got an answer that is not HTTP, whose error may
// quote it.
func quotes(err error) bool {
	var sent *url.Error
	return errors.As(err, &sent) && fetch.Quotes(sent.Err) &&
		strings.HasPrefix(sent.Err.Error(), "net/http: HTTP/1.x transport connection broken: ")
}

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

// unreachable reports whether there was no answer to a request. The text is of the
// SDK's own rate limit, whose error has no type.
func unreachable(err error) bool {
	var network net.Error
	var unread *smithy.DeserializationError
	return errors.As(err, &network) || errors.As(err, &unread) || // a context's deadline is a net.Error
		strings.Contains(err.Error(), "failed to get retry Send token")
}

// common returns the meaning of the errors that all services and KMS have:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
func common(code string) error {
	switch code {
	case "AccessDeniedException", "AccessDenied", "NotAuthorized", "OptInRequired", "UnrecognizedClientException",
		"InvalidClientTokenId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"IncompleteSignature", "IncompleteSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException", "KMSAccessDeniedException", "KMSOptInRequired":
		return secrets.ErrDenied
	case "DisabledException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException",
		"InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException":
		return secrets.ErrUndecryptable
	case "InternalServiceError", "InternalServiceErrorException", "InternalServerError", "InternalFailure",
		"ServiceUnavailable", "ServiceUnavailableException", "KMSThrottlingException", "KMSInternalException", "KeyUnavailableException":
		return secrets.ErrUnavailable
	}
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	_, retryable := retry.DefaultRetryableErrorCodes[code]
	if throttled || retryable {
		return secrets.ErrUnavailable
	}
	return nil
}
