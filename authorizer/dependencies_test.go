package authorizer_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestNoClientOrPasswordHashIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		for _, not := range []string{"aws-sdk-go", "xray", "opentelemetry", "jsonschema", "validator", "go-jose", "x/crypto/argon2", "x/crypto/bcrypt"} {
			if strings.Contains(dep, not) && !strings.HasPrefix(dep, "vendor/") {
				t.Errorf("%s is linked", strings.TrimSpace(dep))
			}
		}
	}
}
