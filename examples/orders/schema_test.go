package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheSchemaIsGenerated(t *testing.T) {
	out := filepath.Join(t.TempDir(), "order_schema.go")
	cmd := exec.CommandContext(t.Context(), "go", "run", "github.com/lambdarmor/lambdarmor/validate/schemagen",
		"-package", "main", "-var", "orderSchema", "-o", out, "order.schema.json")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("order_schema.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("order.schema.json and order_schema.go differ: run go generate")
	}
}

func TestNoSchemaCompilerIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "lambdarmor/validate\n") {
		t.Error("the package validate is not linked")
	}
	for dep := range strings.Lines(string(out)) {
		if strings.Contains(dep, "jsonschema") || strings.Contains(dep, "validate/schema") {
			t.Errorf("%s is linked", strings.TrimSpace(dep))
		}
	}
}
