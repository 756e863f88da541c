package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

// largestFile is the limit of Kubernetes for a whole Secret, in bytes.
const largestFile = 1 << 20

// Dir returns a source of the files in a folder, one for each secret, such as
// Kubernetes mounts or HashiCorp Vault's extension writes. A name is a path within
// the folder, with slashes. No name and no symbolic link leads out of it. Dir
// panics if path is empty; the folder is opened at each fetch.
//
// One line break at the end of a text is removed. A file that is not UTF-8 is
// returned as it is. A file of more than 1 MiB is refused. A file that is empty, or
// changes while it is read, is [ErrUnavailable], as it is being written.
//
// Versions are comparable within this process only. There are no stages.
func Dir(path string) Source {
	if path == "" {
		panic("secrets: Dir of an empty path")
	}
	return &dir{path, newDigest()}
}

type dir struct {
	path   string
	digest *digest
}

func (d *dir) Fetch(ctx context.Context, refs []Ref) ([]Value, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, fileError(err)
	}
	defer root.Close()
	values := make([]Value, len(refs))
	for i := range refs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := readFile(root, refs[i].Name)
		if errors.Is(err, fs.ErrNotExist) { // its folder may just have been swapped
			data, err = readFile(root, refs[i].Name)
		}
		if err != nil {
			values[i].Err = fileError(err)
			continue
		}
		values[i] = d.digest.value(&refs[i], data)
	}
	return values, nil
}

func readFile(root *os.Root, name string) ([]byte, error) {
	// With O_NONBLOCK the opening of a pipe does not wait for its other end.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch size := before.Size(); {
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is no file", ErrNotFound)
	case size > largestFile:
		return nil, guard.Reason("the file is larger than 1 MiB")
	case size == 0:
		return nil, fmt.Errorf("%w: the file is empty", ErrUnavailable)
	}
	data := make([]byte, before.Size()+1) // one more, to see the end
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if int64(n) != before.Size() || hasChanged(before, after) {
		clear(data)
		return nil, fmt.Errorf("%w: the file is being written", ErrUnavailable)
	}
	data = data[:n]
	if utf8.Valid(data) {
		if text, ok := bytes.CutSuffix(data, []byte("\n")); ok {
			data = bytes.TrimSuffix(text, []byte("\r"))
		}
	}
	return data, nil
}

func hasChanged(before, after fs.FileInfo) bool {
	return after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())
}

// fileError wraps an error of reading a file in the error of this package.
func fileError(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENXIO): // a socket
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case errors.As(err, &errno) && errno != syscall.EINVAL && errno != syscall.ELOOP && errno != syscall.ENAMETOOLONG:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return fmt.Errorf("%w: %w", ErrDenied, err) // it leads out of the folder
	}
}
