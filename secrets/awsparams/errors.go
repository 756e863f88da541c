package awsparams

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/lambdarmor/lambdarmor/secrets"
)

var errUnreadable = errors.New("the answer could not be read")

// explain names what an error is about and, where there is a name for it, what
// it means.
func explain(what string, err error) error {
	meaning := meaningOf(err)
	err = withoutAnswer(err)
	if meaning == nil {
		return fmt.Errorf("awsparams: %s: %w", what, err)
	}
	return fmt.Errorf("awsparams: %s: %w: %w", what, meaning, err)
}

// withoutAnswer is the error without what could not be read of an answer: it may
// be a part of a value.
func withoutAnswer(err error) error {
	var unread *smithy.DeserializationError
	if !errors.As(err, &unread) {
		return err
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return fmt.Errorf("%w: %w", errUnreadable, end)
		}
	}
	return errUnreadable
}

// final reports whether an error is an answer of Parameter Store's.
func final(err error) bool {
	return !errors.Is(err, context.Canceled) && meaningOf(err) != secrets.ErrUnavailable
}

// meaningOf gives the one of the secrets package's errors that fits, or nil.
func meaningOf(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if meaning := meaningOfCode(api.ErrorCode()); meaning != nil {
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

// meaningOfCode covers the errors of GetParameters and of a reference to Secrets
// Manager, those of the key that encrypts a value, and those that all services
// have in common:
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
func meaningOfCode(code string) error {
	switch code {
	case "ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException",
		"InvalidRequestException": // a secret that is marked for deletion
		return secrets.ErrNotFound
	case "AccessDeniedException", "AccessDenied", "NotAuthorized", "OptInRequired", "UnrecognizedClientException",
		"InvalidClientTokenId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"IncompleteSignature", "IncompleteSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException", "KMSAccessDeniedException", "KMSOptInRequired":
		return secrets.ErrDenied
	case "InvalidKeyId", "DecryptionFailure", "DisabledException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException",
		"InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException":
		return secrets.ErrUndecryptable
	case "InternalServiceError", "InternalServiceErrorException", "InternalServerError", "InternalFailure",
		"ServiceUnavailable", "ServiceUnavailableException", "KMSThrottlingException", "KMSInternalException", "KeyUnavailableException":
		return secrets.ErrUnavailable
	}
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	_, late := retry.DefaultRetryableErrorCodes[code]
	if throttled || late {
		return secrets.ErrUnavailable
	}
	return nil
}

// unreachable is for what keeps a request from having an answer.
func unreachable(err error) bool {
	var network net.Error
	var unread *smithy.DeserializationError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) || errors.As(err, &unread)
}
