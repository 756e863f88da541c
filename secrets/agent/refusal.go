package agent

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// meaning finds in a text what AWS has said through the agent, and the word
// that says it: an error's code or what is usual in its message. Denials come
// first: where a text has two of the words, no value fetched before may stand.
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

// opaque is all that the Lambda extension says where AWS has refused, for
// whatever reason.
const opaque = "an unexpected error occurred while executing request"

// refusal is the error of an answer other than 200. The status alone does not
// tell: AWS's own 400 for throttling comes through as a 400, and so do those
// for a secret that is denied or not there.
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
		return fmt.Errorf("status %d without a reason, the extension's log has it: %w", a.Status, secrets.ErrUnavailable)
	}
	return fmt.Errorf("status %d", a.Status)
}

// start is as much of a text as is looked at.
func start(body []byte) string { return string(body[:min(len(body), 4<<10)]) }
