package secrets_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Each source package brings its client; the cache alone brings none.
func TestNoClientIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		for _, not := range []string{"aws-sdk-go", "smithy", "xray", "opentelemetry", "jsonschema", "validator", "valkey", "vault"} {
			if strings.Contains(dep, not) {
				t.Errorf("got %s linked, want no client", strings.TrimSpace(dep))
			}
		}
	}
}
