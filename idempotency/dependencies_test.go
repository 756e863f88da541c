package idempotency_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A function that selects its keys without JMESPath links no JMESPath library.
func TestOnlyJMESPathKeysLinkTheirLibrary(t *testing.T) {
	for pkg, want := range map[string]bool{".": false, "./dynamo": false, "./valkey": false, "./jmespath": true, "./powertools": true} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(out), "go-jmespath"); got != want {
			t.Errorf("%s links a JMESPath library: got %t, want %t", pkg, got, want)
		}
	}
}
