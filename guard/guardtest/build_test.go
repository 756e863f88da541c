package guardtest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func TestCompileShowsTheCompilersWords(t *testing.T) {
	_, err := guardtest.Compile(t.Context(), "./testdata/broken", t.TempDir())
	var build *guardtest.BuildError
	if !errors.As(err, &build) || !strings.Contains(build.Output, "main.go:") || !strings.Contains(build.Output, "undefined: nothing") {
		t.Errorf("error %v", err)
	}
}

func TestCompileSaysThatItNeedsTheGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := guardtest.Compile(t.Context(), "./testdata/echo", t.TempDir())
	var build *guardtest.BuildError
	if !errors.As(err, &build) || !errors.Is(err, exec.ErrNotFound) || !strings.HasPrefix(err.Error(), "guardtest: building ./testdata/echo needs the go command: ") {
		t.Errorf("error %v", err)
	}
}

func TestCompileRefusesWhatIsNoCommand(t *testing.T) {
	for _, pkg := range []string{".", "./testdata/missing", "strings"} {
		_, err := guardtest.Compile(t.Context(), pkg, t.TempDir())
		if build := (*guardtest.BuildError)(nil); !errors.As(err, &build) {
			t.Errorf("%s: error %v", pkg, err)
		}
	}
}

func TestCompileAddsItsTagToThoseOfTheEnvironment(t *testing.T) {
	dir := module(t, map[string]string{
		"main.go": "package main\nfunc main() { tagged() }\n",
		"tags.go": "//go:build lambda.norpc && mine && ours\n\npackage main\nfunc tagged() {}\n",
	})
	t.Setenv("GOFLAGS", "-tags=mine,ours -trimpath")
	if _, err := guardtest.Compile(t.Context(), dir, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestCompileBuildsInTheFoldersOwnModule(t *testing.T) {
	dir := module(t, map[string]string{"main.go": "package main\nfunc main() {}\n"})
	binary, err := guardtest.Compile(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(binary); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestCompileRefusesSeveralCommands(t *testing.T) {
	t.Chdir(module(t, map[string]string{"a/main.go": "package main\nfunc main() {}\n", "b/main.go": "package main\nfunc main() {}\n"}))
	_, err := guardtest.Compile(t.Context(), "./...", t.TempDir())
	if build := (*guardtest.BuildError)(nil); !errors.As(err, &build) || !strings.Contains(err.Error(), "2 commands") {
		t.Errorf("error %v, want one that counts 2 commands", err)
	}
}

func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/function\n\ngo 1.26\n"
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
