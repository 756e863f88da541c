package metrics_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A chain without this package links nothing of it, and this one brings nothing
// along that guard has not.
func TestNothingIsLinkedThatGuardHasNot(t *testing.T) {
	list := func(pkg string) []string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	const module = "github.com/lambdarmor/lambdarmor/"
	known := map[string]bool{module + "guard/layer": true, module + "guard/metrics": true}
	for _, pkg := range list("..") {
		if strings.HasSuffix(pkg, "guard/metrics") {
			t.Error("guard links metrics")
		}
		known[pkg] = true
	}
	for _, pkg := range list(".") {
		if !known[pkg] {
			t.Errorf("metrics links %s", pkg)
		}
	}
}
