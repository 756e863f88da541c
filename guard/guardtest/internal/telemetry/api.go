package telemetry

import (
	"errors"
	"io"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/reply"
)

// Route serves both APIs. Identify returns the name of the extension that a request is
// from, or answers it and returns nothing.
func (s *Stream) Route(mux *http.ServeMux, identify func(http.ResponseWriter, *http.Request) string) {
	serve := func(api API) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name := identify(w, r)
			if name == "" {
				return
			}
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
			if err == nil {
				err = s.Subscribe(name, api, body)
			}
			var refused *Refusal
			switch {
			case errors.As(err, &refused):
				reply.Error(w, refused.Status, refused.Type, refused.Message)
			case err != nil:
				reply.Error(w, http.StatusBadRequest, "ValidationError", err.Error())
			default:
				reply.JSON(w, http.StatusOK, "OK")
			}
		}
	}
	mux.HandleFunc("PUT /2022-07-01/telemetry", serve(TelemetryAPI))
	mux.HandleFunc("PUT /2020-08-15/logs", serve(LogsAPI))
}
