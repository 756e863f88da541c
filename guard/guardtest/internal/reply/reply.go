// Package reply answers requests as Lambda's APIs inside an environment do.
package reply

import (
	"encoding/json"
	"net/http"
)

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Error answers with a type and a message.
func Error(w http.ResponseWriter, status int, errorType, message string) {
	JSON(w, status, map[string]string{"errorType": errorType, "errorMessage": message})
}

// Accepted answers that a report has been taken.
func Accepted(w http.ResponseWriter) {
	JSON(w, http.StatusAccepted, map[string]string{"status": "OK"})
}
