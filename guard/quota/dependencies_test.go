package quota_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The stores implement Counter, and Limit knows none of them: who limits over Valkey
// links no client of AWS.
func TestNoStoreIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"aws-sdk-go", "valkey", "lambdarmor/idempotency"} {
		if strings.Contains(string(out), not) {
			t.Errorf("the package links %s", not)
		}
	}
}
