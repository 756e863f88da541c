package idempotency

import (
	"bytes"
	"net/http"

	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// Keep is the default of [StoreWhen]. Of HTTP it keeps what is an answer for
// good, 2xx to 4xx, and not what asks the caller to come again: 408, 409, 423,
// 425, 429 and 5xx. Of others it keeps all but the answer to a batch of which a
// part has failed, as that part is delivered again.
func Keep(status int, answer []byte) bool {
	switch status {
	case 0:
		failures := jsonpeek.Lookup(answer, "batchItemFailures")
		return len(bytes.Trim(failures, "[] \t\r\n")) == 0 || string(failures) == "null"
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status >= 200 && status < 500
	}
}
