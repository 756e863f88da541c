//go:build unix

package secrets_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestDirDoesNotWaitForAPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	if v := fetchOne(t, secrets.Dir(dir), secrets.Ref{Name: "pipe"}); !errors.Is(v.Err, secrets.ErrNotFound) {
		t.Errorf("got %q, %v, want %v", v.Data, v.Err, secrets.ErrNotFound)
	}
}
