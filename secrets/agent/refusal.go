package agent

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// meaning finds the error of AWS in a text, and the word for it: its code or a
// usual part of its message. Denials go first: if a text has two words, no old
// value is served.
func meaning(text string) (word string, err error) {
	for _, said := range []struct {
		err   error
		words []string
	}{
		{secrets.ErrDenied, []string{
			"AccessDenied", "NotAuthorized", "not authorized", "OptInRequired", "UnrecognizedClient", "InvalidClientTokenId",
			"MissingAuthenticationToken", "IncompleteSignature", "InvalidSignature", "SignatureDoesNotMatch", "ExpiredToken",
		}},
		{secrets.ErrUndecryptable, []string{
			"DecryptionFailure", "InvalidKeyId", "KMSDisabled", "KMSInvalidState", "KMSNotFound", "InvalidCiphertext",
			"IncorrectKey", "InvalidKeyUsage",
		}},
		{secrets.ErrNotFound, []string{
			"ResourceNotFound", "ParameterNotFound", "ParameterVersionNotFound",
			"InvalidRequestException", // marked for deletion, or the version does not have the stage
		}},
		{secrets.ErrUnavailable, []string{
			"Throttl", "Rate exceeded", "TooManyRequests", "LimitExceeded", "ThroughputExceeded", "SlowDown", "RequestTimeout",
			"InternalService", "InternalServer", "InternalFailure", "KMSInternal", "KeyUnavailable", "ServiceUnavailable",
		}},
	} {
		for _, word := range said.words {
			if strings.Contains(text, word) {
				return word, said.err
			}
		}
	}
	return "", nil
}

// opaque is the text of the Lambda extension for any refusal of AWS.
const opaque = "an unexpected error occurred while executing request"

// refusal returns the error of an answer other than 200. The status alone says
// little: throttled, denied and missing secrets are all a 400.
func refusal(a endpoint.Answer) error {
	text := start(a.Body)
	if word, err := meaning(text); err != nil {
		return fmt.Errorf("status %d, %s: %w", a.Status, word, err)
	}
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return fmt.Errorf("status %d, the token is refused: %w", a.Status, secrets.ErrDenied)
	case a.Status == http.StatusNotFound:
		return fmt.Errorf("status %d: %w", a.Status, secrets.ErrNotFound)
	case a.Status == http.StatusRequestTimeout || a.Status == http.StatusTooManyRequests || a.Status >= 500:
		return fmt.Errorf("status %d: %w", a.Status, secrets.ErrUnavailable)
	case strings.Contains(text, opaque):
		return fmt.Errorf("status %d without a reason, see the extension's log: %w", a.Status, secrets.ErrUnavailable)
	}
	return fmt.Errorf("status %d", a.Status)
}

// start returns the part of a text that is searched.
func start(body []byte) string { return string(body[:min(len(body), 4<<10)]) }
