package outgoing_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A function links what it uses: the AWS SDK belongs to sigv4 and awscalls alone.
func TestNoClientIsLinked(t *testing.T) {
	for pkg, allowed := range map[string][]string{
		".":                   nil,
		"./clientcredentials": nil,
		"./sigv4":             {"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/internal/"},
		"./awscalls":          {"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/internal/"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
	deps:
		for dep := range strings.Lines(string(out)) {
			for _, ok := range allowed {
				if strings.HasPrefix(dep, ok) {
					continue deps
				}
			}
			for _, not := range []string{"aws-sdk-go", "xray", "opentelemetry", "golang.org/x/oauth2", "jsonschema"} {
				if strings.Contains(dep, not) {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}
