package model_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// complete goes through all states. shortest does so breadth first, so that the
// counter-example it ends with is one of the shortest. fair looks for cycles in
// which every process that can go on does and the key yet never completes.
var (
	complete = search{cc: []string{"-O2", "-DSAFETY"}}
	shortest = search{cc: []string{"-DSAFETY", "-DBFS"}}
	fair     = search{cc: []string{"-O2", "-DNFAIR=3"}, pan: []string{"-a", "-f"}}
)

func TestProtocol(t *testing.T) {
	needTools(t)
	for _, test := range []struct {
		holds   string
		defines []string
		search  search
		partial bool // parts of the model are for other variants
	}{
		{holds: "completed key is kept and replayed", defines: []string{"-DGIVES_UP"}, search: complete},
		{holds: "staged effect takes place exactly once", defines: []string{"-DSTAGED", "-DATTEMPTS=2"}, search: complete},
		{holds: "what is told of a staged effect is true", defines: []string{"-DSTAGED", "-DDENIED", "-DHEARD"}, search: complete},
		{holds: "effect never runs twice when expired leases refuse", defines: []string{"-DREFUSE", "-DGIVES_UP"}, search: complete, partial: true},
		{holds: "effect never runs twice even if success is told unrecorded", defines: []string{"-DREFUSE", "-DUNRECORDED"}, search: complete, partial: true},
		{holds: "success is told by nobody who was replaced", defines: []string{"-DUNRECORDED", "-DMANY", "-DATTEMPTS=2"}, search: complete, partial: true},
		{holds: "nobody who has something to find out fails to ask", defines: []string{"-DRECONCILE"}, search: complete},
		{holds: "nor after a claim was given up", defines: []string{"-DRECONCILE", "-DGIVES_UP", "-DATTEMPTS=2"}, search: complete},
		{holds: "owner alone is fence enough", defines: []string{"-DCOMPLETE_IF=SAME_OWNER", "-DRELEASE_IF=SAME_OWNER"}, search: complete},
		{holds: "key completes while one client keeps trying", defines: []string{"-DPATIENT", "-DATTEMPTS=2"}, search: fair, partial: true},
	} {
		t.Run(test.holds, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			found := verify(t, dir, test.search, test.defines)
			if found.errors != 0 {
				t.Fatalf("refuted:\n%s", replay(t, dir, test.defines))
			}
			if found.incomplete != "" || found.states < 1000 {
				t.Errorf("no complete search: %q, %.0f states\n%s", found.incomplete, found.states, found.output)
			}
			if !test.partial && !strings.Contains(found.output, "unreached in proctype attempt\n\t(0 of ") {
				t.Errorf("steps that never happen prove nothing:\n%s", found.output)
			}
			t.Logf("%.0f states, depth %s, %s s, errors: 0", found.states, found.depth, found.seconds)
		})
	}
}

func TestMutantsAreRefuted(t *testing.T) {
	needTools(t)
	const (
		kept      = "(recorded==0)||((key.status==COMPLETED)&&(key.result==recorded))"
		lease     = "(leased==0)||(leased=="
		truthful  = "recorded==me"
		onlyOne   = "successes==1"
		onlyRun   = "unsettled==1"
		exactly   = "committed==1"
		toldTrue  = "!(denied["
		hasAsked  = "(key.status==INPROGRESS)||(unsettled==0)"
		notLost   = "!(replaced["
		neverDone = "START OF CYCLE"
	)
	for _, test := range []struct {
		mutant  string
		defines []string
		search  search
		broken  string
	}{
		{mutant: "completion without a condition", defines: []string{"-DCOMPLETE_IF=ANYTHING"}, search: shortest, broken: kept},
		{
			mutant:  "completion without the owner",
			defines: []string{"-DCOMPLETE_IF=IN_PROGRESS"},
			search:  shortest,
			broken:  truthful,
		},
		{
			mutant:  "commit without a condition",
			defines: []string{"-DSTAGED", "-DCOMPLETE_IF=ANYTHING"},
			search:  shortest,
			broken:  exactly,
		},
		{
			mutant:  "commit by the epoch alone",
			defines: []string{"-DSTAGED", "-DATTEMPTS=2", "-DCOMPLETE_IF=SAME_EPOCH"},
			search:  shortest,
			broken:  truthful,
		},
		{
			mutant:  "commit without owner and epoch",
			defines: []string{"-DSTAGED", "-DCOMPLETE_IF=IN_PROGRESS"},
			search:  shortest,
			broken:  truthful,
		},
		{
			mutant:  "release without a condition",
			defines: []string{"-DLEASE_UNCHECKED", "-DRELEASE_IF=ANYTHING"},
			search:  shortest,
			broken:  kept,
		},
		{mutant: "release without the owner", defines: []string{"-DRELEASE_IF=IN_PROGRESS"}, search: shortest, broken: lease},
		{
			mutant:  "release without the owner, refusing",
			defines: []string{"-DREFUSE", "-DLEASE_UNCHECKED", "-DRELEASE_IF=IN_PROGRESS"},
			search:  shortest,
			broken:  onlyRun,
		},
		{mutant: "release by the epoch alone", defines: []string{"-DRELEASE_IF=SAME_EPOCH"}, search: shortest, broken: lease},
		{mutant: "success of one who lost", defines: []string{"-DLOSER_SUCCEEDS"}, search: shortest, broken: truthful},
		{
			mutant:  "success without an answer to the commit",
			defines: []string{"-DSTAGED", "-DUNRECORDED"},
			search:  shortest,
			broken:  exactly,
		},
		{
			mutant:  "commit that is looked for in place of being withdrawn",
			defines: []string{"-DSTAGED", "-DDENIED", "-DHEARD", "-DONLY_LOOKS"},
			search:  shortest,
			broken:  toldTrue,
		},
		{
			mutant:  "commit withdrawn although its claim may arrive again",
			defines: []string{"-DSTAGED", "-DDENIED"},
			search:  shortest,
			broken:  toldTrue,
		},
		{mutant: "success without a record, rerunning", defines: []string{"-DUNRECORDED"}, search: shortest, broken: onlyOne},
		{
			mutant:  "run that does not know what it did, released",
			defines: []string{"-DREFUSE", "-DTIMEOUT_FREES"},
			search:  shortest,
			broken:  onlyRun,
		},
		{
			mutant:  "claim that is given up whoever has it",
			defines: []string{"-DGIVES_UP", "-DRELEASE_IF=CARELESS"},
			search:  shortest,
			broken:  lease,
		},
		{
			mutant:  "take-over that is released and forgotten",
			defines: []string{"-DRECONCILE", "-DFORGETFUL"},
			search:  shortest,
			broken:  hasAsked,
		},
		{
			mutant:  "take-over that is withdrawn and keeps its owner",
			defines: []string{"-DSTAGED", "-DDENIED", "-DHEARD", "-DKEEPS_OWNER"},
			search:  shortest,
			broken:  toldTrue,
		},
		{
			mutant:  "success of one who is late and hears nothing",
			defines: []string{"-DUNRECORDED", "-DMANY", "-DLATE_SUCCEEDS"},
			search:  shortest,
			broken:  notLost,
		},
		{
			mutant:  "claim without a lease",
			defines: []string{"-DPATIENT", "-DATTEMPTS=2", "-DNO_EXPIRY"},
			search:  fair,
			broken:  neverDone,
		},
	} {
		t.Run(test.mutant, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			found := verify(t, dir, test.search, test.defines)
			if found.errors < 1 {
				t.Fatalf("not refuted:\n%s", found.output)
			}
			story := replay(t, dir, test.defines)
			if !strings.Contains(story, test.broken) {
				t.Errorf("refuted by something else than %s", test.broken)
			}
			t.Logf("refuted:\n%s", story)
		})
	}
}

// TestCutSearchIsNoProof holds verify to telling a search that was cut short.
func TestCutSearchIsNoProof(t *testing.T) {
	needTools(t)
	cut := search{cc: complete.cc, pan: []string{"-m20"}}
	if found := verify(t, t.TempDir(), cut, []string{"-DREFUSE"}); found.incomplete == "" {
		t.Errorf("a search of depth 20 counts as complete:\n%s", found.output)
	}
}

type (
	search struct{ cc, pan []string }
	result struct {
		errors         int
		states         float64
		depth, seconds string
		incomplete     string // why the search was not complete
		output         string
	}
)

func needTools(t *testing.T) {
	t.Helper()
	_, noSpin := exec.LookPath("spin")
	_, noCompiler := exec.LookPath("cc")
	if noSpin == nil && noCompiler == nil {
		return
	}
	const skipped = "NOTHING IS PROVED about the idempotency protocol here: it takes spin (make spin, or apt-get install spin) and a C compiler"
	if os.Getenv("CI") != "" {
		fmt.Fprintln(os.Stderr, "WARNING: "+skipped)
	}
	t.Skip(skipped)
}

var (
	errorsFound  = regexp.MustCompile(`depth reached (\d+), errors: (\d+)`)
	statesStored = regexp.MustCompile(`(?m)^ *([0-9.e+]+) states, stored`)
	elapsed      = regexp.MustCompile(`elapsed time ([0-9.e+-]+) seconds`)
	cutShort     = regexp.MustCompile(`(?i)search not completed|max search depth too small|out of memory|reached -DMEMLIM|bit ?state`)
)

// verify searches the states of the model with these defines. What replay needs
// stays in dir.
func verify(t *testing.T, dir string, how search, defines []string) result {
	t.Helper()
	model, err := os.ReadFile("protocol.pml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "protocol.pml"), model, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "spin", append(defines[:len(defines):len(defines)], "-a", "protocol.pml")...)
	run(t, dir, "cc", append(how.cc[:len(how.cc):len(how.cc)], "-w", "-o", "pan", "pan.c")...)
	out := run(t, dir, filepath.Join(dir, "pan"), how.pan...)

	found, states, took := errorsFound.FindStringSubmatch(out), statesStored.FindStringSubmatch(out), elapsed.FindStringSubmatch(out)
	if found == nil || states == nil || took == nil {
		t.Fatalf("the checker says neither errors nor states:\n%s", out)
	}
	res := result{depth: found[1], seconds: took[1], incomplete: cutShort.FindString(out), output: out}
	if res.errors, err = strconv.Atoi(found[2]); err != nil {
		t.Fatal(err)
	}
	if res.states, err = strconv.ParseFloat(states[1], 64); err != nil {
		t.Fatal(err)
	}
	return res
}

// replay tells the counter-example that verify left in dir: what each attempt
// does, in its own column, then what failed.
func replay(t *testing.T, dir string, defines []string) string {
	t.Helper()
	out := run(t, dir, "spin", append(defines[:len(defines):len(defines)], "-t", "protocol.pml")...)
	story, _, _ := strings.Cut(out, "spin: trail ends after")
	story, _, _ = strings.Cut(story, "#processes:")
	return story
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && name != "cc" {
		err = nil // spin and its checkers tell findings by text, and their status differs by version
	}
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
