package gateway

import (
	"errors"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// A refusal keeps a request out, as an API answers it.
type refusal struct {
	status    int
	errorType string // of a REST API
	message   string // of a REST API
	challenge string // WWW-Authenticate
}

func (r *refusal) Error() string { return "gateway: " + r.message }

// answerRefused answers as an HTTP API does, which does not say why.
func answerRefused(w http.ResponseWriter, err error) {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		if refused.challenge != "" {
			w.Header().Set("Www-Authenticate", refused.challenge)
		}
		answerMessage(w, refused.status)
		return
	}
	answerMessage(w, refusedStatus(err))
}

// answerURLRefused answers as a function URL does.
// See https://github.com/go-to-k/cdkd/issues/625
func answerURLRefused(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	answerJSON(w, http.StatusForbidden, map[string]string{"Message": "Forbidden"})
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(event.Marshal(v))
}
