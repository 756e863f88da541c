package testserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// errMissing marks a server that is not installed where nothing demands it.
var errMissing = errors.New(`run "make test" to install and run it`)

// locate returns the path of a server's binary. The error matches errMissing
// when it is not installed and its tests are to be skipped.
func locate(name string) (string, error) {
	if dir := os.Getenv("LAMBDARMOR_SERVERS"); dir != "" {
		path := filepath.Join(dir, "bin", name)
		if !isFile(path) {
			return "", fmt.Errorf("testserver: %s is not in LAMBDARMOR_SERVERS (%s)", name, dir)
		}
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("testserver: %w", err)
	}
	for {
		if path := filepath.Join(dir, ".cache", "servers", "bin", name); isFile(path) {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if os.Getenv("CI") == "true" {
		return "", fmt.Errorf("testserver: %s is not installed, and CI leaves no test out", name)
	}
	return "", fmt.Errorf("testserver: %s is not installed: %w", name, errMissing)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// need ends the test unless err is nil: skipped when the server is only
// missing, failed otherwise.
func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errMissing):
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}
