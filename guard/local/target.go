package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// A target is the function to run.
type target struct {
	name   string
	binary string
	dir    string // its working directory
	remove func() // what has been built for it
}

// findTarget builds a package, or takes a file that has been built.
func findTarget(ctx context.Context, arg string) (target, error) {
	info, err := os.Stat(arg)
	if err == nil && info.Mode().IsRegular() && filepath.Ext(arg) != ".go" {
		return builtTarget(arg, info)
	}
	temp, err := os.MkdirTemp("", "guard-local-")
	if err != nil {
		return target{}, err
	}
	remove := func() { _ = os.RemoveAll(temp) }
	binary, err := guardtest.Compile(ctx, arg, temp)
	if err != nil {
		remove()
		return target{}, err
	}
	return target{name: functionName(binary), binary: binary, dir: packageDir(ctx, arg), remove: remove}, nil
}

func builtTarget(file string, info os.FileInfo) (target, error) {
	if info.Mode().Perm()&0o111 == 0 && filepath.Ext(file) != ".exe" {
		return target{}, fmt.Errorf("%s is neither a package nor a file that can be run", file)
	}
	binary, err := filepath.Abs(file)
	if err != nil {
		return target{}, err
	}
	return target{name: functionName(binary), binary: binary, dir: filepath.Dir(binary), remove: func() {}}, nil
}

// functionName returns a file's name with "-" for each character that a function's
// name cannot have.
func functionName(binary string) string {
	base := strings.TrimSuffix(filepath.Base(binary), ".exe")
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, base)
}

// packageDir is the folder of the function's source, whose files it finds as it
// finds the files of its deployment package in Lambda.
func packageDir(ctx context.Context, pkg string) string {
	if info, err := os.Stat(pkg); err == nil {
		if !info.IsDir() {
			pkg = filepath.Dir(pkg)
		}
		if dir, err := filepath.Abs(pkg); err == nil {
			return dir
		}
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(dir))
}
