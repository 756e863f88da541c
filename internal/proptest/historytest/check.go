package historytest

import (
	"cmp"
	cryptorand "crypto/rand"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	histories    = 40
	checkTimeout = time.Minute
)

// Check fails the test if a history of the system is impossible for a correct
// store. It names the seed, and a page that shows the history.
func Check(t *testing.T, sys System) {
	t.Helper()
	first, n := settings(t)
	count := make(map[string]int)
	for seed := first; seed < first+uint64(n); seed++ {
		h := sys.play(t, seed)
		for what, n := range h.count {
			count[what] += n
		}
		ops := h.operations()
		if !explained(t, ops) {
			t.Fatalf("no order of its steps explains the history of seed %d; LAMBDARMOR_SEED=%[1]d LAMBDARMOR_HISTORIES=1 plays it again as far as that goes; see %s\n%s",
				seed, show(t, ops, seed), unexplained(t, ops))
		}
	}
	t.Logf("%d histories from seed %d on: %v", n, first, count)
	if none := missing(count); len(none) > 0 && n >= histories {
		t.Errorf("no history has: %v", none)
	}
}

// explained reports whether a store could have taken the steps in some order.
func explained(t *testing.T, ops []porcupine.Operation) bool {
	t.Helper()
	result := porcupine.CheckOperationsTimeout(model, ops, checkTimeout)
	if result == porcupine.Unknown {
		t.Fatalf("a history of %d steps is not checked within %v", len(ops), checkTimeout)
	}
	return result == porcupine.Ok
}

// settings are how to look longer, or again.
func settings(t *testing.T) (first uint64, n int) {
	t.Helper()
	first, n = 1, histories
	var err error
	if text := os.Getenv("LAMBDARMOR_SEED"); text != "" {
		if first, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("LAMBDARMOR_SEED: %v", err)
		}
	}
	if text := os.Getenv("LAMBDARMOR_HISTORIES"); text != "" {
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("LAMBDARMOR_HISTORIES: %v", err)
		}
	}
	return first, n
}

// play makes one history.
func (sys *System) play(t *testing.T, seed uint64) *history {
	h := newHistory(len(sys.Processes))
	prefix := fmt.Sprintf("history-%d-%s-", seed, cryptorand.Text())
	var playing sync.WaitGroup
	for i := range sys.Processes {
		p := &player{
			Process: &sys.Processes[i], id: i, sys: sys, h: h, prefix: prefix,
			rng: rand.New(rand.NewPCG(seed, uint64(i))),
		}
		playing.Go(func() { p.play(t.Context()) })
	}
	playing.Wait()
	return h
}

// show writes a page that shows the history and how far it can be explained.
func show(t *testing.T, ops []porcupine.Operation, seed uint64) string {
	t.Helper()
	dir := os.TempDir() // which is there when the test has ended
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		dir = t.ArtifactDir()
	}
	path := filepath.Join(dir, fmt.Sprintf("history-%d-%d.html", seed, os.Getpid()))
	_, info := porcupine.CheckOperationsVerbose(model, ops, checkTimeout)
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		return err.Error()
	}
	return path
}

// unexplained returns the history of the first key that is at fault, as text.
func unexplained(t *testing.T, ops []porcupine.Operation) string {
	t.Helper()
	for _, part := range byKey(ops) {
		if explained(t, part) {
			continue
		}
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		var text strings.Builder
		for _, op := range part {
			fmt.Fprintf(&text, "%v to %v: %s\n", time.Duration(op.Call).Round(time.Microsecond), time.Duration(op.Return).Round(time.Microsecond),
				model.DescribeOperation(op.Input, op.Output))
		}
		return text.String()
	}
	return ""
}
