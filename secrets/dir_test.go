package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
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
