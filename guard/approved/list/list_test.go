package main

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/approved"
	"github.com/lambdarmor/lambdarmor/guard/approved/internal/approvedtest"
)

func TestListIsThatOfTheBinary(t *testing.T) {
	f := newFunction(t)
	binary := f.Build("-trimpath", "-tags", "netgo")
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	want := approved.Format(info)
	if got := mustList(t, f.Dir, "-trimpath", "-tags", "netgo"); got != want {
		t.Errorf("of the package: got\n%s\nwant\n%s", got, want)
	}
	if got := mustList(t, binary); got != want {
		t.Errorf("of the binary: got\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(want, prices+" v1.0.0 h1:") {
		t.Errorf("got\n%s\nwithout the module", want)
	}
}

func TestVariablesAreGivenToTheBuild(t *testing.T) {
	got := mustList(t, newFunction(t).Dir, "GOOS=linux", "GOARCH=arm64", "-gcflags", "all=-N")
	for _, want := range []string{"build: GOARCH=arm64\n", "build: -gcflags=all=-N\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(f *approvedtest.Function)
		want   []string // the rows, as expressions; none: nothing differs
	}{
		{name: "nothing"},
		{
			name: "another version",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", "prices v1.0.0", "prices v1.1.0")
				f.Sum()
			},
			want: []string{`changed +example.com/prices +v1.0.0 h1:\S+ +v1.1.0 h1:\S+`},
		},
		{
			name: "another sum",
			change: func(f *approvedtest.Function) {
				f.Republish(prices+"@v1.0.0", "package prices; func Of() int { return 0 }")
			},
			want: []string{`changed +example.com/prices +v1.0.0 h1:\S+ +v1.0.0 h1:\S+`},
		},
		{
			name: "a replacement", change: replace,
			want: []string{`replaced +example.com/prices +v1.0.0 h1:\S+ +v1.0.0 => example.com/fork/prices v1.0.1 h1:\S+`},
		},
		{
			name: "one for another",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", prices+" v1.0.0", "example.com/stock v0.1.0")
				f.Edit("main.go", prices, "example.com/stock")
				f.Edit("main.go", "prices.Of", "stock.Of")
				f.Sum()
			},
			want: []string{`gone +example.com/prices +v1.0.0 h1:\S+ +-`, `new +example.com/stock +- +v0.1.0 h1:\S+`},
		},
		{
			name:   "vendored",
			change: func(f *approvedtest.Function) { f.Run("go", "mod", "vendor") },
			want:   []string{`build +-mod +- +vendor`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFunction(t)
			file := approve(t, f)
			if test.change != nil {
				test.change(f)
			}
			status, stdout, stderr := list(t, "-check", file, f.Dir)
			if len(test.want) == 0 {
				if status != exitSame || stdout != "example.com/shop is as approved, with 2 modules\n" {
					t.Errorf("got status %d: %s%s", status, stdout, stderr)
				}
				return
			}
			rows(t, status, stdout, stderr, test.want)
		})
	}
}

// rows wants a table with these rows, and the status of one.
func rows(t *testing.T, status int, stdout, stderr string, want []string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if status != exitDiffers || len(got) != len(want)+1 || !strings.HasPrefix(got[0], "DIFFERENCE ") {
		t.Fatalf("got status %d, want %d with %d rows:\n%s%s", status, exitDiffers, len(want), stdout, stderr)
	}
	for i, row := range want {
		if !regexp.MustCompile("^" + row + "$").MatchString(got[i+1]) {
			t.Errorf("row %d: got %q, want %q", i+1, got[i+1], row)
		}
	}
}

func TestOnlyABinaryIsJudgedByItsTree(t *testing.T) {
	f := newFunction(t)
	f.Commit()
	file := approve(t, f)
	f.Edit("main.go", "started", "begun")
	if got := mustList(t, "-check", file, f.Dir); !strings.Contains(got, "is as approved") {
		t.Errorf("the package: got %s", got)
	}
	status, stdout, stderr := list(t, "-check", file, f.Build())
	rows(t, status, stdout, stderr, []string{`modified +vcs.modified +false +true`})
}

func TestVendoredModulesHaveTheirSums(t *testing.T) {
	f := newFunction(t)
	plain := mustList(t, f.Dir)
	f.Run("go", "mod", "vendor")
	file := approve(t, f)
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(plain, "build: CGO", "build: -mod=vendor\nbuild: CGO", 1); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, target := range []string{f.Dir, f.Build()} {
		mustList(t, "-check", file, target)
	}
}

func TestAChangedVendorFolder(t *testing.T) {
	const vendored = "vendor/example.com/prices/"
	f := newFunction(t)
	f.Run("go", "mod", "vendor")
	file := approve(t, f)
	f.Run("rm", vendored+"LICENSE")
	f.Edit(vendored+"module.go", "100", "1")
	f.Write(vendored+"more.go", "package prices\n\nfunc init() { print(1) }\n")
	status, stdout, stderr := list(t, "-check", file, f.Dir)
	rows(t, status, stdout, stderr, []string{
		`vendored +example.com/prices/LICENSE +sha256:\S+ +-`,
		`vendored +example.com/prices/module.go +sha256:\S+ +sha256:\S+`,
		`vendored +example.com/prices/more.go +- +sha256:\S+`,
	})
	status, stdout, stderr = list(t, f.Dir)
	const want = "3 files in the vendor folder are not those of the modules, the first is example.com/prices/LICENSE"
	if status != exitTrouble || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("to list it: got status %d: %s%s, want %d: … %s", status, stdout, stderr, exitTrouble, want)
	}
}

func TestAVendoredWorkspace(t *testing.T) {
	f := newFunction(t)
	f.Run("go", "work", "init", ".")
	f.Run("go", "work", "vendor")
	file := approve(t, f)
	mustList(t, "-check", file, f.Dir)
	f.Edit("vendor/example.com/prices/module.go", "100", "1")
	status, stdout, stderr := list(t, "-check", file, f.Dir)
	rows(t, status, stdout, stderr, []string{`vendored +example.com/prices/module.go +sha256:\S+ +sha256:\S+`})
}

func TestTrouble(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no argument", nil, "usage: list [flags] <package or binary>"},
		{"an unknown flag", []string{"-x", "."}, "flag provided but not defined: -x"},
		{"an unknown format", []string{"-o", "xml", "."}, `there is no format "xml"`},
		{"no package", []string{filepath.Join(dir, "none")}, "go build: exit status 1"},
		{"a library", []string{".."}, "no main packages to build"},
		{"a file that is no binary", []string{empty}, "unrecognized file format"},
		{"flags for a binary", []string{self, "-trimpath"}, "is built already"},
		{"no list", []string{"-check", filepath.Join(dir, "none"), self}, "no such file"},
		{"a malformed list", []string{"-check", empty, self}, "empty: approved: the list needs a line main: and a line go:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := list(t, test.args...)
			if status != exitTrouble || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("got status %d: %s%s, want %d: … %s", status, stdout, stderr, exitTrouble, test.want)
			}
		})
	}
}
