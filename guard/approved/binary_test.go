package approved_test

import (
	"debug/buildinfo"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/approved"
	"github.com/lambdarmor/lambdarmor/guard/approved/internal/approvedtest"
)

// approve has the list of a function be that of what it is now.
func approve(t *testing.T, f *approvedtest.Function, flags ...string) {
	t.Helper()
	info, err := buildinfo.ReadFile(f.Build(flags...))
	if err != nil {
		t.Fatal(err)
	}
	f.Write("approved.txt", approved.Format(info))
}

const fork = "\nreplace example.com/prices => example.com/fork/prices v1.0.1\n"

// A real function is built, approved, changed and built again. It starts or not.
func TestAChangedBinaryDoesNotStart(t *testing.T) {
	tests := []struct {
		name   string
		before func(f *approvedtest.Function) // the approval
		change func(f *approvedtest.Function) // and after it
		flags  []string                       // of the second build
		want   []string                       // the lines of its panic; none: it starts
	}{
		{name: "nothing"},
		{
			name: "a newer version",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", "prices v1.0.0", "prices v1.1.0")
				f.Sum()
			},
			want: []string{"changed example.com/prices: approved v1.0.0 h1:", "found v1.1.0 h1:"},
		},
		{
			name: "the same version with another sum",
			change: func(f *approvedtest.Function) {
				f.Republish("example.com/prices@v1.0.0", "package prices; func Of() int { return 0 }")
			},
			want: []string{"changed example.com/prices: approved v1.0.0 h1:", "found v1.0.0 h1:"},
		},
		{
			name: "a fork",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", "\nreplace", fork+"\nreplace")
				f.Sum()
			},
			want: []string{"replaced example.com/prices: approved v1.0.0 h1:", "found v1.0.0 => example.com/fork/prices v1.0.1 h1:"},
		},
		{
			name: "a folder",
			change: func(f *approvedtest.Function) {
				f.Write("prices/go.mod", "module example.com/prices\n\ngo 1.26.0\n")
				f.Write("prices/prices.go", "package prices\n\nfunc Of() int { return 0 }\n")
				f.Edit("go.mod", "\nreplace", "\nreplace example.com/prices => ./prices\n\nreplace")
			},
			want: []string{"replaced example.com/prices: approved v1.0.0 h1:", "found v1.0.0 => ./prices (devel)"},
		},
		{
			name: "a fork that was approved",
			before: func(f *approvedtest.Function) {
				f.Edit("go.mod", "\nreplace", fork+"\nreplace")
				f.Sum()
			},
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", fork, "")
				f.Sum()
			},
			want: []string{"replaced example.com/prices: approved v1.0.0 => example.com/fork/prices v1.0.1 h1:", "found v1.0.0 h1:"},
		},
		{
			name: "one more module",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", "require (", "require (\n\texample.com/stock v0.1.0")
				f.Write("stock.go", "package main\n\nimport _ \"example.com/stock\"\n")
				f.Sum()
			},
			want: []string{"new example.com/stock: approved none, found v0.1.0 h1:"},
		},
		{
			name: "a module that is required and not linked",
			change: func(f *approvedtest.Function) {
				f.Edit("go.mod", "require (", "require (\n\texample.com/stock v0.1.0")
				f.Sum()
			},
		},
		{
			name: "one module less",
			change: func(f *approvedtest.Function) {
				f.Edit("main.go", "\t\"example.com/prices\"\n", "")
				f.Edit("main.go", ", prices.Of()", "")
			},
			want: []string{"gone example.com/prices: approved v1.0.0 h1:", "found none"},
		},
		{
			name:   "vendored",
			change: func(f *approvedtest.Function) { f.Run("go", "mod", "vendor") },
			want:   []string{"no sum example.com/prices: approved v1.0.0 h1:", "found v1.0.0"},
		},
		{
			name:   "vendored as approved",
			before: func(f *approvedtest.Function) { f.Run("go", "mod", "vendor") },
		},
		{
			name: "vendored as approved by its sums",
			change: func(f *approvedtest.Function) {
				f.Run("go", "mod", "vendor")
				f.Edit("approved.txt", "\n\n", "\nbuild: -mod=vendor\n\n")
			},
		},
		{
			name:  "other tags",
			flags: []string{"-tags", "netgo"},
			want:  []string{"build -tags: approved none, found netgo"},
		},
		{
			name:   "another version of Go",
			change: func(f *approvedtest.Function) { f.Edit("approved.txt", "go: go1.", "go: go0.") },
			want:   []string{"go: approved go0.", "found go1."},
		},
		{
			name:   "uncommitted changes",
			before: (*approvedtest.Function).Commit,
			change: func(f *approvedtest.Function) { f.Edit("main.go", "started", "begun") },
			want:   []string{"modified vcs.modified: approved false, found true"},
		},
		{
			name:   "committed changes",
			before: (*approvedtest.Function).Commit,
			change: func(f *approvedtest.Function) { f.Edit("main.go", "started", "begun"); f.Commit() },
		},
		{
			name:   "an unknown state",
			before: (*approvedtest.Function).Commit,
			change: (*approvedtest.Function).Commit,
			flags:  []string{"-buildvcs=false"},
			want:   []string{"build vcs.modified: approved false, found none"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := approvedtest.New(t)
			if test.before != nil {
				test.before(f)
			}
			approve(t, f)
			if test.change != nil {
				test.change(f)
			}
			out, err := exec.CommandContext(t.Context(), f.Build(test.flags...)).CombinedOutput()
			if len(test.want) == 0 {
				if err != nil {
					t.Errorf("got %v, want a start:\n%s", err, out)
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), "panic: approved: this binary is not what was approved:") {
				t.Fatalf("got %v, want a panic:\n%s", err, out)
			}
			if n := strings.Count(string(out), ": approved "); n != 1 {
				t.Errorf("got %d differences, want 1:\n%s", n, out)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
		})
	}
}
