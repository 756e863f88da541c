package exampletest_test

import (
	"archive/zip"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// Lambda starts what is executable in the folder extensions of a layer.
func TestTheLayerOfTheCacheIsWhatLambdaStarts(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("install make to run this")
	}
	layer := filepath.Join(t.TempDir(), "layer")
	build := exec.CommandContext(t.Context(), "make", "-C", "../../examples/cacheextension", "layer", "LAYER="+layer)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file := filepath.Join(layer, "extensions", "cacheextension")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o111 != 0o111 {
		t.Fatalf("got %v, %v, want a file that anybody may execute", info, err)
	}
	binary, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if binary.Machine != elf.EM_AARCH64 {
		t.Errorf("got %v, want the architecture of the template", binary.Machine)
	}
	// "sam build" would run make in a copy of the folder, where no go.mod is found.
	of := resourcesOf(t, "cacheextension")["Cache"]
	properties := decode[struct {
		ContentURI string `yaml:"ContentUri"`
	}](t, &of.Properties)
	if of.Type != "AWS::Serverless::LayerVersion" || properties.ContentURI != "layer" {
		t.Errorf("got a %s from %q, want a layer of the folder that make builds", of.Type, properties.ContentURI)
	}
}

// "make layers" has a zip file of each extension for both architectures. What is in one
// runs beside a function.
func TestTheZipFilesOfTheLayersAreWhatLambdaStarts(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"make", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("install %s to run this", program)
		}
	}
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "make", "-C", "../..", "layers", "CACHE="+folder)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for arch, want := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		for _, name := range []string{"cacheextension", "logshipper"} {
			opt := unzip(t, filepath.Join(folder, "layers", arch, name+".zip"))
			binary, err := elf.Open(filepath.Join(opt, "extensions", name))
			if err != nil {
				t.Fatal(err)
			}
			if err := binary.Close(); err != nil || binary.Machine != want {
				t.Errorf("%s of %s: got a binary for %v, %v, want %v", name, arch, binary.Machine, err, want)
			}
		}
	}
	c := fillCache(t)
	c.extensions = filepath.Join(unzip(t, filepath.Join(folder, "layers", runtime.GOARCH, "cacheextension.zip")), "extensions")
	asked, want := c.all()
	if got := read(t, c.beside(t, c.inGo(t)), asked...); !slices.Equal(got.Values, want) {
		t.Errorf("got %q, want %q", got.Values, want)
	}
}

// unzip returns the folder that Lambda makes of a layer. All files of it may be read and
// executed by anybody.
func unzip(t *testing.T, file string) string {
	t.Helper()
	layer, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer layer.Close()
	opt := t.TempDir()
	for _, entry := range layer.File {
		if entry.FileInfo().IsDir() {
			continue
		}
		if mode := entry.Mode(); !mode.IsRegular() || mode.Perm()&0o555 != 0o555 {
			t.Errorf("%s: got %s with mode %v, want a file that anybody may execute", file, entry.Name, mode)
		}
		from, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(opt, entry.Name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, entry.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return opt
}
