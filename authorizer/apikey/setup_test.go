package apikey_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// outcome is what the gateway makes of an answer.
type outcome string

const (
	allow  outcome = "allow"
	deny   outcome = "403"
	broken outcome = "500"
)

// record is what the log has of an invocation.
type record map[string]any

func (r record) text(key string) string {
	v, _ := r[key].(string)
	return v
}

func (r record) code() string {
	e, _ := r["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// withKey asks an authorizer about a key that is its identity source.
func withKey(t *testing.T, v authorizer.Verifier, key string) (outcome, record) {
	t.Helper()
	var log bytes.Buffer
	h := guard.Wrap(authorizer.Simple(authorizer.APIKey("X-Api-Key", v)), guard.Log(logging.New(&log)), guard.Errors(), guard.Recover())
	event := sample.Of(guard.Authorizer).Set("/headers/x-api-key", key).Set("/identitySource", []string{key})
	out, err := h.Invoke(t.Context(), event.Bytes())
	var r record
	if bad := json.Unmarshal(log.Bytes(), &r); bad != nil {
		t.Fatalf("not one record: %v\n%s", bad, log.String())
	}
	if len(key) > 3 && strings.Contains(fmt.Sprint(r), key) {
		t.Errorf("the key is in the log: %v", r)
	}
	switch {
	case err != nil:
		return broken, r
	case strings.Contains(string(out), `"isAuthorized":true`):
		return allow, r
	default:
		return deny, r
	}
}

func mustPanic(t *testing.T, what, with string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.Contains(text, with) {
			t.Errorf("%s: panic %q, want one with %q", what, text, with)
		}
	}()
	f()
}
