package awssecrets_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestNoOtherClientIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	linked := false
	for dep := range strings.Lines(string(out)) {
		service, ok := strings.CutPrefix(strings.TrimSpace(dep), services)
		if !ok {
			continue
		}
		service, _, _ = strings.Cut(service, "/")
		linked = linked || service == "secretsmanager"
		if service != "secretsmanager" && service != "internal" {
			t.Errorf("links %s", dep)
		}
	}
	if !linked {
		t.Error("does not link its own client")
	}
}
