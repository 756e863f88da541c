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
		{fs.ErrNotExist, ErrNotFound},
		{syscall.ENOTDIR, ErrNotFound},
		{fs.ErrPermission, ErrDenied},
		{syscall.EACCES, ErrDenied},
		{syscall.ELOOP, ErrDenied},
		{syscall.EINVAL, ErrDenied},
		{syscall.ENAMETOOLONG, ErrDenied},
		{errors.New("path escapes from parent"), ErrDenied},
		{syscall.EIO, ErrUnavailable},
		{syscall.EMFILE, ErrUnavailable},
		{syscall.EINTR, ErrUnavailable},
		{fmt.Errorf("%w: the file is empty", ErrUnavailable), ErrUnavailable},
	} {
		err := fileError(&fs.PathError{Op: "open", Path: "x", Err: tc.err})
		if !errors.Is(err, tc.want) || couldNotAsk(err) != (tc.want == ErrUnavailable) {
			t.Errorf("%v became %v, want %v", tc.err, err, tc.want)
		}
	}
}
