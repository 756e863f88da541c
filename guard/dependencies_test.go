package guard_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Who imports guard or what is below it, but for the test kit and the runner,
// links nothing that is not asked for.
func TestNoClientTracerOrValidatorIsLinked(t *testing.T) {
	for _, pkg := range []string{".", "./httpapi", "./jmespath"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.Lines(string(out)) {
			for _, not := range []string{"aws-sdk-go", "xray", "opentelemetry", "jsonschema", "validator", "valkey"} {
				if strings.Contains(dep, not) {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}
