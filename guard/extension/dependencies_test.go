package extension_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestNoAWSClientIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".", "../metadata").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		for _, not := range []string{"aws-sdk-go", "smithy", "jmespath", "validator", "jsonschema", "opentelemetry"} {
			if strings.Contains(dep, not) {
				t.Errorf("got %s linked, want no client", strings.TrimSpace(dep))
			}
		}
	}
}
