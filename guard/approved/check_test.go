package approved_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/approved"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// own is the list of this test binary, which may have been built with uncommitted changes.
func own(t *testing.T) string {
	t.Helper()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build information")
	}
	return strings.Replace(approved.Format(info), "vcs.modified=false", "vcs.modified=*", 1)
}

func TestABinaryAgreesWithItsOwnList(t *testing.T) {
	if err := approved.Check(own(t)); err != nil {
		t.Error(err)
	}
	approved.Must(own(t))
}

func TestReportLogsDifferences(t *testing.T) {
	tests := []struct {
		name, list string
		want       map[string]any // attributes; nil: no record
	}{
		{name: "none", list: own(t)},
		{
			name: "one", list: own(t) + "example.com/gone (devel)\n",
			want: map[string]any{"level": "ERROR", "differences": []any{"gone example.com/gone: approved (devel), found none"}},
		},
		{
			name: "a malformed list", list: "shop",
			want: map[string]any{"level": "ERROR", "error": "approved: line 1 of the list: module shop has no version"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			approved.Report(test.list, logging.New(&out))
			if test.want == nil {
				if out.Len() > 0 {
					t.Errorf("got %s, want no record", &out)
				}
				return
			}
			var record map[string]any
			if err := json.Unmarshal(out.Bytes(), &record); err != nil {
				t.Fatalf("%v in %s", err, &out)
			}
			for name, want := range test.want {
				if got, wantText := text(t, record[name]), text(t, want); got != wantText {
					t.Errorf("%s: got %s, want %s", name, got, wantText)
				}
			}
		})
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReportNeedsALogger(t *testing.T) {
	defer func() {
		if got := recover(); got != "approved: Report without a logger" {
			t.Errorf("got panic %v", got)
		}
	}()
	var none *slog.Logger
	approved.Report(own(t), none)
}

// What is to be kept small does not grow by its check.
func TestOnlyTheStandardLibraryIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const want = "github.com/lambdarmor/lambdarmor/internal/reason\ngithub.com/lambdarmor/lambdarmor/guard/approved"
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
