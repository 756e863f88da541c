package guardtest

import (
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/reply"
)

// serveMetadata serves version 2026-01-15 of the metadata endpoint, and returns the
// variables that tell of it:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-metadata-endpoint.html
func (e *environment) serveMetadata(mux *http.ServeMux) (variables []string) {
	token := ids.UUID()
	mux.HandleFunc("GET /2026-01-15/metadata/execution-environment", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "private, max-age=43200, immutable")
		reply.JSON(w, http.StatusOK, map[string]string{"AvailabilityZoneID": e.cfg.AvailabilityZoneID})
	})
	return []string{"AWS_LAMBDA_METADATA_API=" + e.addr, "AWS_LAMBDA_METADATA_TOKEN=" + token}
}
