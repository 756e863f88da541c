package awstest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// Lambda serves the Invoke operation of Lambda's API for one function, and returns
// its URL. A function of another name does not exist.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func Lambda(t testing.TB, name string, fn guardtest.Invoker) (url string) {
	t.Helper()
	refuse := func(w http.ResponseWriter, status int, code string) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"Type":"User","Message":"no"}`)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/"+name+"/invocations" {
			refuse(w, http.StatusNotFound, "ResourceNotFoundException")
			return
		}
		result, err := fn.Do(r.Context(), guardtest.Call{Payload: payload})
		var failure *guardtest.FunctionError
		switch {
		case errors.As(err, &failure):
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = w.Write(failure.Payload)
		case errors.Is(err, guardtest.ErrTooLarge):
			refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException")
		case err != nil:
			if !strings.Contains(err.Error(), "context canceled") {
				t.Errorf("the function cannot be invoked: %v", err)
			}
			refuse(w, http.StatusInternalServerError, "ServiceException")
		default:
			_, _ = w.Write(result.Payload)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
