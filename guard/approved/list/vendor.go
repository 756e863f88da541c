package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/approved"
)

// compareVendor compares the vendor folder with one that the go command makes of the
// modules, whose sums it checks.
func (b *build) compareVendor() ([]approved.Difference, error) {
	out, err := b.goCommand("env", "GOMOD", "GOWORK")
	if err != nil {
		return nil, err
	}
	kind := "mod"
	root, work, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if work != "" && work != "off" {
		kind, root = "work", work
	}
	made := filepath.Join(b.temp, "vendor")
	if _, err := b.goCommand(kind, "vendor", "-o", made); err != nil {
		return nil, err
	}
	want, err := digests(made)
	if err != nil {
		return nil, err
	}
	got, err := digests(filepath.Join(filepath.Dir(root), "vendor"))
	if err != nil {
		return nil, err
	}
	var differences []approved.Difference
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if want[name] != got[name] {
			differences = append(differences, approved.Difference{Kind: "vendored", Name: name, Approved: want[name], Found: got[name]})
		}
	}
	return differences, nil
}

// digests returns a hash of each file below a folder.
func digests(dir string) (map[string]string, error) {
	files := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		files[name] = fmt.Sprintf("sha256:%x", sha256.Sum256(data))
		return err
	})
	return files, err
}
