package recipes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The Go of docs/observability.md is that of packages which are tested.
func TestTheGoOfThePageIsTested(t *testing.T) {
	page, err := os.ReadFile("../../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, pattern := range []string{"*.go", "../../../guard/otel/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("got no files for %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, withoutIndent(string(text)))
		}
	}
	all := strings.Join(sources, "\n")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 8 {
		t.Errorf("got %d blocks of Go, want at least 8", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(all, withoutIndent(b[1])) {
			t.Errorf("no package has this:\n%s", b[1])
		}
	}
}

func withoutIndent(text string) string {
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "")
}
