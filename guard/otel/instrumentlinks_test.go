package otel_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Who imports this package links the API of OpenTelemetry and the core of the AWS SDK,
// but no SDK of OpenTelemetry and no client of a service.
func TestNoClientAndNoSDKIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		for _, not := range []string{"aws-sdk-go-v2/service/", "go.opentelemetry.io/otel/sdk", "go.opentelemetry.io/otel/exporters", "go.opentelemetry.io/contrib"} {
			if strings.Contains(dep, not) {
				t.Errorf("otel links %s", strings.TrimSpace(dep))
			}
		}
	}
}
