// Package approvedtest has a function that is linked from modules of a folder, for
// tests that build it and change what it is made of.
package approvedtest

import (
	"archive/zip"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// modules is what the module proxy has, by path@version. Each is a package with one function.
var modules = map[string]string{
	"example.com/prices@v1.0.0":      `package prices; func Of() int { return 100 }`,
	"example.com/prices@v1.1.0":      `package prices; func Of() int { return 110 }`,
	"example.com/fork/prices@v1.0.1": `package prices; func Of() int { return 101 }`,
	"example.com/stock@v0.1.0":       `package stock; func Of() int { return 1 }`,
}

const mainFile = `package main

import (
	_ "embed"
	"fmt"

	"example.com/prices"
	"github.com/lambdarmor/lambdarmor/guard/approved"
)

//go:embed approved.txt
var list string

func main() {
	approved.Must(list)
	fmt.Println("started", prices.Of())
}
`

const modFile = `module example.com/shop

go 1.26.0

require (
	example.com/prices v1.0.0
	github.com/lambdarmor/lambdarmor v0.0.0
)

replace github.com/lambdarmor/lambdarmor => ROOT
`

// A Function is a module with one command, example.com/shop. It is linked from
// example.com/prices v1.0.0 and from guard/approved, whose list is approved.txt.
type Function struct {
	Dir string
	Env []string // of the go command: GOPROXY, GOMODCACHE and what else it needs

	t            testing.TB
	proxy, cache string
}

// New writes the source.
func New(t testing.TB) *Function {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/lambdarmor/lambdarmor").Output()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	f := &Function{t: t, Dir: filepath.Join(temp, "shop"), proxy: filepath.Join(temp, "proxy"), cache: filepath.Join(temp, "cache")}
	f.Env = []string{
		"GOPROXY=file://" + filepath.ToSlash(f.proxy), "GOSUMDB=off", "GOMODCACHE=" + f.cache, "GOFLAGS=-modcacherw", "GOWORK=",
		"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0",
	}
	for name, text := range modules {
		f.publish(name, text)
	}
	f.Write("main.go", mainFile)
	f.Write("go.mod", strings.Replace(modFile, "ROOT", strings.TrimSpace(string(root)), 1))
	f.Write("approved.txt", "")
	f.Sum()
	return f
}

// publish puts a module into a proxy, https://go.dev/ref/mod#goproxy-protocol.
func (f *Function) publish(name, text string) {
	f.t.Helper()
	path, version, _ := strings.Cut(name, "@")
	mod := "module " + path + "\n\ngo 1.26.0\n"
	versions := filepath.Join(f.proxy, path, "@v")
	f.write(filepath.Join(versions, version+".info"), `{"Version":"`+version+`"}`)
	f.write(filepath.Join(versions, version+".mod"), mod)
	var archive strings.Builder
	w := zip.NewWriter(&archive)
	files := map[string]string{"go.mod": mod, "module.go": text + "\n", "LICENSE": "none\n"}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		entry, err := w.Create(name + "/" + file)
		if err == nil {
			_, err = entry.Write([]byte(files[file]))
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.write(filepath.Join(versions, version+".zip"), archive.String())
}

// Republish changes what a version of a module is, and what go.sum says of it.
func (f *Function) Republish(name, text string) {
	f.t.Helper()
	f.publish(name, text)
	for _, old := range []string{f.cache, filepath.Join(f.Dir, "go.sum")} {
		if err := os.RemoveAll(old); err != nil {
			f.t.Fatal(err)
		}
	}
	f.Sum()
}

// Write writes a file of the function.
func (f *Function) Write(name, text string) {
	f.t.Helper()
	f.write(filepath.Join(f.Dir, name), text)
}

func (f *Function) write(file, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// Edit replaces a text in a file of the function.
func (f *Function) Edit(name, from, to string) {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.Dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	if !strings.Contains(string(data), from) {
		f.t.Fatalf("%s has no %q:\n%s", name, from, data)
	}
	f.Write(name, strings.Replace(string(data), from, to, 1))
}

// Sum completes go.mod and go.sum. Call it after edits.
func (f *Function) Sum() {
	f.t.Helper()
	f.Run("go", "list", "-mod=mod", "-deps", ".")
}

// Build builds the function and returns the binary.
func (f *Function) Build(flags ...string) string {
	f.t.Helper()
	binary := filepath.Join(f.t.TempDir(), "bootstrap")
	f.Run("go", append(append([]string{"build", "-o", binary}, flags...), ".")...)
	return binary
}

// Commit makes the folder a repository without uncommitted changes. It skips the
// test where there is no git, which the go command needs to see that, unless CI is true.
func (f *Function) Commit() {
	f.t.Helper()
	if _, err := exec.LookPath("git"); err != nil && os.Getenv("CI") != "true" {
		f.t.Skip(err)
	}
	f.Run("git", "init", "--quiet", ".")
	f.Run("git", "add", "--all")
	f.Run("git", "-c", "user.name=shop", "-c", "user.email=shop@example.com", "commit", "--quiet", "--message", "Shop")
}

// Run runs a program in the folder. The test ends if it fails.
func (f *Function) Run(program string, args ...string) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), program, args...)
	cmd.Dir = f.Dir
	cmd.Env = append(os.Environ(), f.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}
