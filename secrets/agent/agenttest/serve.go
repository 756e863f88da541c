package agenttest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// guarded is what the extension and the Secrets Manager Agent check first.
func (a *Agent) guarded(answer func(url.Values) Answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Aws-Parameters-Secrets-Token")
		query, err := url.ParseQuery(r.URL.RawQuery)
		switch {
		case r.Header.Get("X-Forwarded-For") != "":
			reply(w, Answer{http.StatusBadRequest, "Forwarded"})
		case subtle.ConstantTimeCompare([]byte(token), []byte(a.token)) == 0:
			reply(w, Answer{http.StatusForbidden, "Bad Token"})
		case r.Method != http.MethodGet:
			reply(w, Answer{http.StatusMethodNotAllowed, "Not allowed"})
		case a.early():
			reply(w, Answer{http.StatusBadRequest, "not ready to serve traffic, please wait"})
		case err != nil:
			reply(w, Answer{http.StatusBadRequest, "malformed query"})
		default:
			reply(w, answer(query))
		}
	})
}

func (a *Agent) early() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.notReady > 0 {
		a.notReady--
		return true
	}
	return a.notReady < 0
}

// only refuses parameters of a query that the agent does not know.
func only(query url.Values, names ...string) (Answer, bool) {
	for name, values := range query {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known || len(values) != 1 {
			return Answer{http.StatusBadRequest, "unknown parameter: " + name}, false
		}
	}
	return Answer{}, true
}

func reply(w http.ResponseWriter, f Answer) {
	w.WriteHeader(f.Status)
	fmt.Fprint(w, f.Body)
}

func ok(v any) Answer { return Answer{http.StatusOK, encode(v)} }

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("agenttest: " + err.Error()) // maps of strings, numbers and bytes
	}
	return string(text)
}
