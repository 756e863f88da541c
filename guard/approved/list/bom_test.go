package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// Both formats are held to their schemas by the Python libraries of the standards.
func TestBillsOfMaterialsAreValid(t *testing.T) {
	python := testserver.Python(t)
	f := newFunction(t)
	replace(f)
	f.Commit()
	binary := f.Build()
	for _, format := range []string{"cyclonedx", "spdx"} {
		t.Run(format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), format+".json") // by whose end the library knows the format
			text := mustList(t, "-o", format, binary)
			validate := func(text string) error {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), python, "-I", "testdata/validate.py", format, file).CombinedOutput()
				t.Logf("%s", out)
				return err
			}
			if err := validate(text); err != nil {
				t.Errorf("got %v for\n%s", err, text)
			}
			if validate(strings.Replace(text, `"name"`, `"nome"`, 1)) == nil {
				t.Error("got no problem for a name that is gone")
			}
		})
	}
}

func TestBillsOfMaterials(t *testing.T) {
	f := newFunction(t)
	replace(f)
	binary := f.Build()
	type entry struct{ Name, Version, Purl string }
	tests := []struct {
		format string
		read   func(t *testing.T, text string) []entry
	}{
		{"cyclonedx", func(t *testing.T, text string) (all []entry) {
			var bom struct{ Components []entry }
			if err := json.Unmarshal([]byte(text), &bom); err != nil {
				t.Fatal(err)
			}
			return bom.Components
		}},
		{"spdx", func(t *testing.T, text string) (all []entry) {
			var bom struct {
				Packages []struct {
					Name, VersionInfo string
					ExternalRefs      []struct{ ReferenceLocator string }
				}
			}
			if err := json.Unmarshal([]byte(text), &bom); err != nil {
				t.Fatal(err)
			}
			for _, p := range bom.Packages[1:] {
				all = append(all, entry{p.Name, p.VersionInfo, p.ExternalRefs[0].ReferenceLocator})
			}
			return all
		}},
	}
	for _, test := range tests {
		t.Run(test.format, func(t *testing.T) {
			text := mustList(t, "-o", test.format, binary)
			got := test.read(t, text)
			if len(got) != 3 || got[0].Name != "stdlib" {
				t.Fatalf("got %v", got)
			}
			want := []entry{
				{"example.com/fork/prices", "v1.0.1", "pkg:golang/example.com/fork/prices@v1.0.1"},
				{"github.com/lambdarmor/lambdarmor", "", "pkg:golang/github.com/lambdarmor/lambdarmor"},
			}
			if !slices.Equal(got[1:], want) {
				t.Errorf("got %v, want %v", got[1:], want)
			}
			for _, want := range []string{"h1:", "replaces example.com/prices v1.0.0", "replaced by the folder /"} {
				if !strings.Contains(text, want) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
			if again := mustList(t, "-o", test.format, f.Build()); again != text {
				t.Errorf("got another text for the same source:\n%s\nbefore\n%s", again, text)
			}
		})
	}
}

func TestTheTimeOfABillOfMaterials(t *testing.T) {
	f := newFunction(t)
	plain := f.Build()
	f.Commit()
	stamped := f.Build()
	tests := []struct {
		name, binary, epoch, want string
	}{
		{"of nothing", plain, "", "1970-01-01T00:00:00Z"},
		{"of the revision", stamped, "", revisionTime(t, stamped)},
		{"of SOURCE_DATE_EPOCH", stamped, "1764590400", "2025-12-01T12:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.epoch != "" {
				t.Setenv("SOURCE_DATE_EPOCH", test.epoch)
			}
			if got := mustList(t, "-o", "spdx", test.binary); !strings.Contains(got, `"created": "`+test.want+`"`) {
				t.Errorf("spdx: want %s in\n%s", test.want, got)
			}
			got := mustList(t, "-o", "cyclonedx", test.binary)
			if test.binary == plain && strings.Contains(got, `"timestamp"`) || test.binary != plain && !strings.Contains(got, `"timestamp": "`+test.want+`"`) {
				t.Errorf("cyclonedx: want %s in\n%s", test.want, got)
			}
		})
	}
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if status, _, stderr := list(t, "-o", "spdx", plain); status != exitTrouble || !strings.Contains(stderr, "SOURCE_DATE_EPOCH: ") {
		t.Errorf("got status %d: %s", status, stderr)
	}
}

func revisionTime(t *testing.T, binary string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(out), "vcs.time=")
	at, _, ok := strings.Cut(after, "\n")
	if !ok {
		t.Fatalf("no vcs.time in\n%s", out)
	}
	return at
}
