//go:build unix

package secrets_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
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

func TestASocketIsNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // the address of a socket is short
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Skip(err)
	}
	defer socket.Close()
	if v := fetchOne(t, secrets.Dir(dir), secrets.Ref{Name: "socket"}); !errors.Is(v.Err, secrets.ErrNotFound) {
		t.Errorf("got %q, %v, want %v", v.Data, v.Err, secrets.ErrNotFound)
	}
}

// Kubernetes removes the folder of the old values right after it has turned the
// link to the new one. A read between the two finds neither.
func TestDirFindsAFileWhileKubernetesSwapsItsFolder(t *testing.T) {
	const swaps = 12
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	below := strings.Repeat("x/", 20) // so that a read takes its time between link and file
	for i := range swaps + 1 {
		write(t, at(fmt.Sprint("..", i, "/", below, "api-key")), "hunter2")
	}
	swap := func(from, to string) error {
		return errors.Join(os.Symlink(to, at("..data_tmp")), os.Rename(at("..data_tmp"), at("..data")), os.RemoveAll(at(from)))
	}
	if err := errors.Join(swap("none", "..0"), os.Symlink("..data/"+below+"api-key", at("api-key"))); err != nil {
		t.Fatal(err)
	}
	var reads atomic.Int64
	swapped := make(chan error)
	go func() {
		var err error
		for i := range swaps {
			for seen := reads.Load(); reads.Load() < seen+2; { // no read spans two swaps
				runtime.Gosched()
			}
			err = errors.Join(err, swap(fmt.Sprint("..", i), fmt.Sprint("..", i+1)))
		}
		swapped <- err
	}()
	for src := secrets.Dir(dir); ; reads.Add(1) {
		select {
		case err := <-swapped:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		if v := fetchOne(t, src, secrets.Ref{Name: "api-key"}); string(v.Data) != "hunter2" || v.Err != nil {
			t.Errorf("got %q, %v, want hunter2", v.Data, v.Err)
		}
	}
}
