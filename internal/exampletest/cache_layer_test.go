package exampletest_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Lambda starts what is executable in the folder extensions of a layer.
func TestTheLayerOfTheCacheIsWhatLambdaStarts(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("install make to run this")
	}
	layer := t.TempDir()
	build := exec.CommandContext(t.Context(), "make", "-C", "../../examples/cacheextension", "build-Cache", "ARTIFACTS_DIR="+layer)
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
	if of := resourcesOf(t, "cacheextension")["Cache"]; of.Type != "AWS::Serverless::LayerVersion" {
		t.Errorf("got a %s named Cache, want the layer that the Makefile builds", of.Type)
	}
}
