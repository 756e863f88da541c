package otel_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A program with this package links the API of OpenTelemetry, and the SDK and the
// exporters only if it brings them. Of clients of AWS it links none.
func TestOnlyTheAPIIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := false
	for dep := range strings.Lines(string(out)) {
		linked = linked || strings.HasPrefix(dep, "go.opentelemetry.io/otel/trace")
		for _, not := range []string{
			"otel/sdk", "otel/exporters", "opentelemetry.io/contrib", "opentelemetry.io/proto", "google.golang.org", "net/http/httptest",
			"aws-sdk-go-v2/service", "aws-sdk-go-v2/config",
		} {
			if strings.Contains(dep, not) {
				t.Errorf("links %s", dep)
			}
		}
	}
	if !linked {
		t.Errorf("got %s, want the API", out)
	}
}
