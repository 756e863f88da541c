package awstest

import (
	"os/exec"
	"strings"
	"testing"
)

// MustLinkOnly fails unless the package in this folder links the client of one
// service alone, and nothing for tests.
func MustLinkOnly(t testing.TB, service string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := false
	for dep := range strings.Lines(string(out)) {
		dep = strings.TrimSpace(dep)
		if dep == "testing" {
			t.Errorf("links %s", dep)
		}
		client, ok := strings.CutPrefix(dep, "github.com/aws/aws-sdk-go-v2/service/")
		if !ok {
			continue
		}
		client, _, _ = strings.Cut(client, "/")
		linked = linked || client == service
		if client != service && client != "internal" {
			t.Errorf("links %s", dep)
		}
	}
	if !linked {
		t.Error("does not link its own client")
	}
}
