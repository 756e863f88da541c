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

// largestFile bounds what Dir reads, in bytes: as much as Kubernetes has in all
// of a Secret.
const largestFile = 1 << 20

// Dir is the source of the files of a folder, one for each secret: Kubernetes
// mounts them so, and HashiCorp Vault's extension writes them. A name is a path
// within the folder, with slashes; no name and no symbolic link leads out of
// it. The folder is looked for at each fetch. Dir panics when path is empty.
//
// One line break at the end of a text is taken off; what is not UTF-8 is given
// as it is. A file of more than 1 MiB is refused. One that is empty, or changes
// while it is read, is being written: [ErrUnavailable].
//
// The version tells two values apart within this process. There are no stages.
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
		data, err := read(root, refs[i].Name)
		if err != nil {
			values[i].Err = fileError(err)
			continue
		}
		values[i] = d.digest.value(&refs[i], data)
	}
	return values, nil
}

func read(root *os.Root, name string) ([]byte, error) {
	// To open something else, like a pipe, might wait for ever.
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is no file", ErrNotFound)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch size := before.Size(); {
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
	if int64(n) != before.Size() || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		clear(data)
		return nil, fmt.Errorf("%w: the file is being written", ErrUnavailable)
	}
	return withoutBreak(data[:n]), nil
}

// withoutBreak is a text without the line break at its end.
func withoutBreak(data []byte) []byte {
	if !utf8.Valid(data) {
		return data
	}
	if text, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		return bytes.TrimSuffix(text, []byte("\r"))
	}
	return data
}

// fileError says what the failure to read a file is to a cache.
func fileError(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case errors.As(err, &errno) && errno != syscall.EINVAL && errno != syscall.ELOOP && errno != syscall.ENAMETOOLONG:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return fmt.Errorf("%w: %w", ErrDenied, err) // it leads out of the folder
	}
}
