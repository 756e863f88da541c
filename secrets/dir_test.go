package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What says that a file could not be read now is no word about the secret.
func TestWhatAFailureToReadAFileMeans(t *testing.T) {
	for _, tc := range []struct{ err, want error }{
		{err: fs.ErrNotExist, want: ErrNotFound},
		{err: syscall.ENOTDIR, want: ErrNotFound},
		{err: syscall.ENXIO, want: ErrNotFound},
		{err: fs.ErrPermission, want: ErrDenied},
		{err: syscall.EACCES, want: ErrDenied},
		{err: syscall.ELOOP, want: ErrDenied},
		{err: syscall.EINVAL, want: ErrDenied},
		{err: syscall.ENAMETOOLONG, want: ErrDenied},
		{err: errors.New("path escapes from parent"), want: ErrDenied},
		{err: syscall.EIO, want: ErrUnavailable},
		{err: syscall.EMFILE, want: ErrUnavailable},
		{err: syscall.EINTR, want: ErrUnavailable},
		{err: fmt.Errorf("%w: the file is empty", ErrUnavailable), want: ErrUnavailable},
	} {
		err := fileError(&fs.PathError{Op: "open", Path: "x", Err: tc.err})
		if !errors.Is(err, tc.want) || couldNotAsk(err) != (tc.want == ErrUnavailable) {
			t.Errorf("%v became %v, want %v", tc.err, err, tc.want)
		}
	}
}

func TestAFileThatChangesWhileItIsReadIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api-key")
	stat := func() fs.FileInfo {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		text string
		at   time.Time
		want bool
	}{
		{name: "as before", text: "hunter2", at: at},
		{name: "longer", text: "hunter22", at: at, want: true},
		{name: "shorter", text: "hunter", at: at, want: true},
		{name: "written again", text: "hunter3", at: at.Add(time.Second), want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := errors.Join(os.WriteFile(path, []byte("hunter2"), 0o600), os.Chtimes(path, at, at)); err != nil {
				t.Fatal(err)
			}
			before := stat()
			if err := errors.Join(os.WriteFile(path, []byte(tc.text), 0o600), os.Chtimes(path, tc.at, tc.at)); err != nil {
				t.Fatal(err)
			}
			if got := hasChanged(before, stat()); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAValueOfAnotherVersionIsCleared(t *testing.T) {
	data := []byte("hunter2")
	if v := newDigest().value(&Ref{Name: "api-key", Version: "1"}, data); !errors.Is(v.Err, ErrNotFound) || string(data) != "\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("got %v and %q left, want %v and zeros", v.Err, data, ErrNotFound)
	}
}
