// Package gobuild finds out how the go command is to be called for a package.
package gobuild

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Tags adds lambda.norpc to the tags in GOFLAGS, which -tags would replace.
func Tags(flags string) string {
	tags := "lambda.norpc"
	for _, flag := range strings.Fields(flags) {
		name, value, ok := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if ok && name == "tags" && value != "" {
			tags += "," + value
		}
	}
	return tags
}

// Module returns the folder to build pkg in, and its name there. The working
// directory is preferred, because compilers name files relative to it.
func Module(pkg string) (dir, target string) {
	info, err := os.Stat(pkg)
	if err != nil || !info.IsDir() {
		return "", pkg
	}
	abs, err := filepath.Abs(pkg)
	if err != nil {
		return "", pkg
	}
	if here, err := os.Getwd(); err == nil && root(here) == root(abs) {
		if rel, err := filepath.Rel(here, abs); err == nil {
			return "", "." + string(filepath.Separator) + rel
		}
	}
	return abs, "."
}

func root(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); !errors.Is(err, os.ErrNotExist) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
