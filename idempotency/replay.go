package idempotency

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// statusOf is the status of an answer in proxy form, which has to say it unless
// it may be bare: it is 200 then. What is no answer the gateway does not take: it
// answers 502.
func statusOf(answer []byte, bare bool) (status int, ok bool) {
	if !jsontext.Value(answer).IsValid(jsontext.AllowDuplicateNames(true)) {
		return http.StatusBadGateway, false
	}
	raw := jsonpeek.Lookup(answer, "statusCode")
	if raw == nil && bare {
		return http.StatusOK, true
	}
	if text := jsonpeek.Text(raw); text != nil {
		raw = text
	}
	status, err := strconv.Atoi(string(raw))
	if err != nil || status < 100 || status > 599 {
		return http.StatusBadGateway, false
	}
	return status, true
}
