package approved_test

import (
	"errors"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/approved"
)

const (
	oldSum = "h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg="
	newSum = "h1:gXoTeBaBZ3pJe6x4ZQZ5kTcS2tqZQYdvHvhV1Pg8eJE="

	header = "main: example.com/shop\ngo: go1.26.8\n"
)

func TestAMalformedListNamesItsLine(t *testing.T) {
	tests := []struct {
		name, list, want string
	}{
		{"empty", "", "the list needs a line main: and a line go:"},
		{"no go", "main: example.com/shop\n", "the list needs a line main: and a line go:"},
		{"no main", "go: go1.26.8\n", "the list needs a line main: and a line go:"},
		{"main twice", header + "main: example.com/other\n", "line 3 of the list: main: is listed twice"},
		{"go without a value", "main: example.com/shop\ngo:\n", "line 2 of the list: go: has no value"},
		{"a setting without a value", header + "\nbuild: -race\n", `line 4 of the list: got "build: -race", want build: NAME=VALUE or build: *`},
		{"a setting with an empty value", header + "build: -tags=\n", `line 3 of the list: got "build: -tags=", want`},
		{"a setting without a name", header + "build: =true\n", `line 3 of the list: got "build: =true", want`},
		{"a value of all settings", header + "build: *=true\n", `line 3 of the list: got "build: *=true", want`},
		{"a setting twice", header + "build: GOOS=linux\nbuild: GOOS=*\n", "line 4 of the list: GOOS is listed twice"},
		{"a misspelt word", header + "# a comment\nbuid: -race=true\n", `line 4 of the list: got "buid:", want main:, go:, build: or the path of a module`},
		{"a module without a version", header + "example.com/a\n", "line 3 of the list: module example.com/a has no version"},
		{"a module twice", header + "example.com/a v1.0.0 " + oldSum + "\nexample.com/a v1.1.0 " + newSum + "\n", "line 4 of the list: example.com/a is listed twice"},
		{"a sum that is cut off", header + "example.com/a v1.0.0 h1:RtJ3\n", `line 3 of the list: module example.com/a: "h1:RtJ3" is neither a sum nor a replacement`},
		{"something behind a sum", header + "example.com/a v1.0.0 " + oldSum + " x\n", "is neither a sum nor a replacement"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := approved.Check(test.list)
			var differs *approved.Error
			if err == nil || errors.As(err, &differs) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "approved: ") {
				t.Errorf("got %v, want approved: … %s", err, test.want)
			}
		})
	}
}

// info is a binary that agrees with the list in TestCompare.
func info(edit func(*debug.BuildInfo)) *debug.BuildInfo {
	b := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Path:      "example.com/shop",
		Main:      debug.Module{Path: "example.com/shop", Version: "v0.0.0-20261201120000-0123456789ab+dirty"},
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.0.0", Sum: oldSum},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/c", Version: "v1.0.1", Sum: oldSum}},
			{Path: "example.com/d", Version: "v0.0.0", Replace: &debug.Module{Path: "../my d", Version: "(devel)"}},
			{Path: "example.com/e", Version: "(devel)"},
		},
		Settings: []debug.BuildSetting{
			{Key: "-ldflags", Value: "-s -w"},
			{Key: "CGO_CFLAGS", Value: ""},
			{Key: "GOARCH", Value: "arm64"},
			{Key: "vcs", Value: "git"},
			{Key: "vcs.revision", Value: "0123456789abcdef"},
			{Key: "vcs.time", Value: "2026-12-01T12:00:00Z"},
			{Key: "vcs.modified", Value: "false"},
		},
	}
	if edit != nil {
		edit(b)
	}
	return b
}

const agreed = "main: example.com/shop\ngo: go1.26.8\n" +
	"build: -ldflags=-s -w\nbuild: GOARCH=arm64\nbuild: vcs.modified=false\n\n" +
	"example.com/a v1.0.0 " + oldSum + "\n" +
	"example.com/b v1.0.0 => example.com/c v1.0.1 " + oldSum + "\n" +
	"example.com/d v0.0.0 => ../my d (devel)\n" +
	"example.com/e (devel)\n"

func TestFormat(t *testing.T) {
	tests := []struct {
		name string
		edit func(*debug.BuildInfo)
		want string
	}{
		{"as it is", nil, agreed},
		{"with uncommitted changes", func(b *debug.BuildInfo) { b.Settings[6].Value = "true" }, agreed},
		{"vendored", func(b *debug.BuildInfo) { b.Deps[0].Sum = "" }, strings.Replace(
			strings.Replace(agreed, "v1.0.0 "+oldSum, "v1.0.0", 1), "build: GOARCH", "build: -mod=vendor\nbuild: GOARCH", 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := approved.Format(info(test.edit)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	set := func(name, value string) func(*debug.BuildInfo) {
		return func(b *debug.BuildInfo) {
			for i := range b.Settings {
				if b.Settings[i].Key == name {
					b.Settings[i].Value = value
					return
				}
			}
			b.Settings = append(b.Settings, debug.BuildSetting{Key: name, Value: value})
		}
	}
	unset := func(b *debug.BuildInfo) { b.Settings = b.Settings[:3] }
	tests := []struct {
		name string
		list string // agreed if empty
		edit func(*debug.BuildInfo)
		want []approved.Difference
	}{
		{name: "what was agreed"},
		{name: "spaces, tabs, line ends and comments", list: "# shop\r\n" + strings.ReplaceAll(strings.ReplaceAll(agreed, " ", " \t "), "\n", " \r\n")},
		{name: "another order", list: "example.com/e (devel)\n" + strings.Replace(agreed, "example.com/e (devel)\n", "", 1)},
		{
			name: "everything at once", list: header + "example.com/z v1.0.0 " + oldSum + "\n",
			edit: func(b *debug.BuildInfo) {
				*b = debug.BuildInfo{GoVersion: "go1.25.0", Path: "example.com/other", Deps: b.Deps[:1], Settings: b.Settings[2:3]}
			},
			want: []approved.Difference{
				{Kind: "main", Name: "main", Approved: "example.com/shop", Found: "example.com/other"},
				{Kind: "go", Name: "go", Approved: "go1.26.8", Found: "go1.25.0"},
				{Kind: "build", Name: "GOARCH", Found: "arm64"},
				{Kind: "new", Name: "example.com/a", Found: "v1.0.0 " + oldSum},
				{Kind: "gone", Name: "example.com/z", Approved: "v1.0.0 " + oldSum},
			},
		},
		{
			name: "a replacement in another version",
			edit: func(b *debug.BuildInfo) { b.Deps[1].Replace.Version = "v1.0.2" },
			want: []approved.Difference{{Kind: "replaced", Name: "example.com/b", Approved: "v1.0.0 => example.com/c v1.0.1 " + oldSum, Found: "v1.0.0 => example.com/c v1.0.2 " + oldSum}},
		},
		{
			name: "a replacement without its sum",
			edit: func(b *debug.BuildInfo) { b.Deps[1].Replace.Sum = "" },
			want: []approved.Difference{{Kind: "no sum", Name: "example.com/b", Approved: "v1.0.0 => example.com/c v1.0.1 " + oldSum, Found: "v1.0.0 => example.com/c v1.0.1"}},
		},
		{
			name: "another folder",
			edit: func(b *debug.BuildInfo) { b.Deps[2].Replace.Path = "../d" },
			want: []approved.Difference{{Kind: "replaced", Name: "example.com/d", Approved: "v0.0.0 => ../my d (devel)", Found: "v0.0.0 => ../d (devel)"}},
		},
		{
			name: "a sum where none was approved", list: strings.Replace(agreed, "example.com/a v1.0.0 "+oldSum, "example.com/a v1.0.0", 1),
			want: []approved.Difference{{Kind: "changed", Name: "example.com/a", Approved: "v1.0.0", Found: "v1.0.0 " + oldSum}},
		},
		{
			name: "another sum in a vendored build", list: agreed + "build: -mod=vendor\n",
			edit: func(b *debug.BuildInfo) { b.Deps[0].Sum = newSum },
			want: []approved.Difference{{Kind: "changed", Name: "example.com/a", Approved: "v1.0.0 " + oldSum, Found: "v1.0.0 " + newSum}},
		},
		{
			name: "a module gone from a vendored build", list: agreed + "build: -mod=vendor\n",
			edit: func(b *debug.BuildInfo) { b.Deps = b.Deps[1:] },
			want: []approved.Difference{{Kind: "gone", Name: "example.com/a", Approved: "v1.0.0 " + oldSum}},
		},
		{
			name: "a setting with another value", edit: set("GOARCH", "amd64"),
			want: []approved.Difference{{Kind: "build", Name: "GOARCH", Approved: "arm64", Found: "amd64"}},
		},
		{
			name: "a setting more", edit: set("-race", "true"),
			want: []approved.Difference{{Kind: "build", Name: "-race", Found: "true"}},
		},
		{name: "any value of a setting", list: strings.Replace(agreed, "GOARCH=arm64", "GOARCH=*", 1), edit: set("GOARCH", "amd64")},
		{name: "any value, and there is none", list: agreed + "build: -race=*\n"},
		{name: "any other setting", list: agreed + "build: *\n", edit: set("-race", "true")},
		{
			name: "any other setting does not unlist one", list: agreed + "build: *\n", edit: set("GOARCH", "amd64"),
			want: []approved.Difference{{Kind: "build", Name: "GOARCH", Approved: "arm64", Found: "amd64"}},
		},
		{
			name: "any other setting is not uncommitted changes", list: strings.Replace(agreed, "build: vcs.modified=false", "build: *", 1), edit: set("vcs.modified", "true"),
			want: []approved.Difference{{Kind: "modified", Name: "vcs.modified", Approved: "false", Found: "true"}},
		},
		{name: "uncommitted changes that are accepted", list: strings.Replace(agreed, "vcs.modified=false", "vcs.modified=*", 1), edit: set("vcs.modified", "true")},
		{
			name: "uncommitted changes and no line about them", list: strings.Replace(agreed, "build: vcs.modified=false\n", "", 1), edit: set("vcs.modified", "true"),
			want: []approved.Difference{{Kind: "modified", Name: "vcs.modified", Approved: "false", Found: "true"}},
		},
		{name: "no uncommitted changes and no line about them", list: strings.Replace(agreed, "build: vcs.modified=false\n", "", 1)},
		{
			name: "no version control", edit: unset,
			want: []approved.Difference{{Kind: "build", Name: "vcs.modified", Approved: "false"}},
		},
		{name: "no version control and no line about it", list: strings.Replace(agreed, "build: vcs.modified=false\n", "", 1), edit: unset},
		{
			name: "another revision than the listed one", list: agreed + "build: vcs.revision=fedcba9876543210\n",
			want: []approved.Difference{{Kind: "build", Name: "vcs.revision", Approved: "fedcba9876543210", Found: "0123456789abcdef"}},
		},
		{
			name: "any package and version of Go", list: strings.Replace(agreed, header, "main: *\ngo: *\n", 1),
			edit: func(b *debug.BuildInfo) { b.Path, b.GoVersion = "example.com/other", "go1.27.0" },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := test.list
			if list == "" {
				list = agreed
			}
			err := approved.Compare(list, info(test.edit))
			var got []approved.Difference
			if differs := new(approved.Error); errors.As(err, &differs) {
				got = differs.Differences
			} else if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// Whatever a list says, it is refused or compared, and what is compared knows the
// binary that it was made of.
func FuzzCompare(f *testing.F) {
	f.Add(agreed, "v1.0.0", "v1.0.1", "-s -w")
	f.Add(header+"build: *\nexample.com/a v1.0.0\n", "(devel)", "", " ")
	f.Fuzz(func(t *testing.T, list, version, other, ldflags string) {
		binary := info(func(b *debug.BuildInfo) {
			b.Deps[0].Version, b.Deps[1].Replace.Version = version, other
			b.Settings[0].Value = ldflags
		})
		if len(strings.Fields(version)) == 1 {
			if err := approved.Compare(approved.Format(binary), binary); err != nil {
				t.Errorf("got %v for its own list", err)
			}
		}
		if err := approved.Compare(list, binary); err != nil && !strings.HasPrefix(err.Error(), "approved: ") {
			t.Errorf("got %v", err)
		}
	})
}
