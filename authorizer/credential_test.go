package authorizer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// withKey asks about a key that is the identity source.
func withKey(t *testing.T, v authorizer.Verifier, key string) (outcome, record) {
	t.Helper()
	event := sampleOf("").Set("/headers/x-api-key", key).Set("/identitySource", []string{key})
	out, log, err := ask(t, authorizer.Simple(authorizer.APIKey("X-Api-Key", v)), event)
	return outcomeOf(t, out, err, ""), log
}

// A verifier of somebody's own may be down.
func TestAVerifierThatFailsIsNoDenial(t *testing.T) {
	down := verifierFunc(func(context.Context, string) (*authorizer.Grant, error) {
		return nil, guard.Errorf(guard.Unavailable, "table_down", "")
	})
	if got, log := withKey(t, down, "k1"); got != broken || log.code() != "table_down" {
		t.Errorf("%s, %v", got, log)
	}
}

// A verifier of somebody's own may be dear to ask.
func TestWhatIsTooLongForAKeyIsNotLookedUp(t *testing.T) {
	asked := 0
	counts := verifierFunc(func(context.Context, string) (*authorizer.Grant, error) {
		asked++
		return nil, guard.Errorf(guard.Unauthenticated, "api_key_unknown", "")
	})
	for _, length := range []int{1 << 10, 1<<10 + 1} {
		if got, log := withKey(t, counts, strings.Repeat("k", length)); got != deny || log.code() != "api_key_unknown" || asked != 1 {
			t.Errorf("%d bytes: %s, %v, asked %d times", length, got, log, asked)
		}
	}
}
