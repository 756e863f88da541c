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
