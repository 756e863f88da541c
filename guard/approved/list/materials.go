package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/approved"
)

// materials is what a function is made of.
type materials struct {
	info     *debug.BuildInfo
	vendored []approved.Difference // of the vendor folder from the modules; a binary tells none
}

// materialsOf reads a binary, or builds a package.
func materialsOf(ctx context.Context, target string, args []string, stderr io.Writer) (materials, error) {
	if file, err := os.Stat(target); err == nil && file.Mode().IsRegular() && filepath.Ext(target) != ".go" {
		if len(args) > 0 {
			return materials{}, fmt.Errorf("%s is built already: it takes no variables or build flags", target)
		}
		info, err := buildinfo.ReadFile(target)
		return materials{info: info}, err
	}
	temp, err := os.MkdirTemp("", "approved-list-")
	if err != nil {
		return materials{}, err
	}
	defer os.RemoveAll(temp)
	b := newBuild(ctx, target, args, temp, stderr)
	info, err := b.build()
	if err != nil {
		return materials{}, err
	}
	var differences []approved.Difference
	if approved.Vendored(info) {
		if differences, err = b.compareVendor(); err != nil {
			return materials{}, err
		}
		if info, err = b.build("-mod=readonly"); err != nil {
			return materials{}, err
		}
		info.Settings = append(info.Settings, debug.BuildSetting{Key: "-mod", Value: "vendor"})
	}
	for i, s := range info.Settings {
		if s.Key == "vcs.modified" {
			info.Settings[i].Value = "false" // the tree is judged in the binary that is deployed
		}
	}
	return materials{info, differences}, nil
}

// A build is a package and how it is built.
type build struct {
	ctx      context.Context
	dir, pkg string // the package seen from a folder
	env      []string
	flags    []string
	temp     string
	stderr   io.Writer
}

func newBuild(ctx context.Context, target string, args []string, temp string, stderr io.Writer) *build {
	b := &build{ctx: ctx, pkg: target, env: os.Environ(), temp: temp, stderr: stderr}
	if file, err := os.Stat(target); err == nil && file.IsDir() {
		// The module of the package is used, not that of the working directory.
		b.dir, b.pkg = target, "."
	}
	for _, arg := range args {
		if isVariable(arg) {
			b.env = append(b.env, arg)
		} else {
			b.flags = append(b.flags, arg)
		}
	}
	return b
}

// isVariable tells CGO_ENABLED=0 from all=-N, which is the value of a build flag.
func isVariable(arg string) bool {
	name, _, ok := strings.Cut(arg, "=")
	return ok && name != "" && !strings.HasPrefix(name, "-") && name == strings.ToUpper(name)
}

// build returns the build information of the package, with more flags.
func (b *build) build(more ...string) (*debug.BuildInfo, error) {
	into, err := os.MkdirTemp(b.temp, "build-")
	if err != nil {
		return nil, err
	}
	args := append([]string{"build", "-o", into + string(filepath.Separator)}, b.flags...)
	args = append(append(args, more...), b.pkg)
	if _, err := b.goCommand(args...); err != nil {
		return nil, err
	}
	binaries, err := os.ReadDir(into)
	if err != nil {
		return nil, err
	}
	if len(binaries) != 1 {
		return nil, fmt.Errorf("%s has %d commands, not one", b.pkg, len(binaries))
	}
	return buildinfo.ReadFile(filepath.Join(into, binaries[0].Name()))
}

func (b *build) goCommand(args ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = b.dir, b.env, b.stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return string(out), nil
}
