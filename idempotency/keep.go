package idempotency

import (
	"encoding/json"
	"net/http"
)

// Keep is the default of [StoreWhen]. Of HTTP it keeps what is an answer for
// good, 2xx to 4xx, and not what asks the caller to come again: 408, 409, 423,
// 425, 429 and 5xx. Of others it keeps all but the answer to a batch of which a
// part has failed, as that part is delivered again.
func Keep(status int, answer []byte) bool {
	switch status {
	case 0:
		var batch struct {
			Failures []json.RawMessage `json:"batchItemFailures"`
		}
		return json.Unmarshal(answer, &batch) != nil || len(batch.Failures) == 0
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status >= 200 && status < 500
	}
}
