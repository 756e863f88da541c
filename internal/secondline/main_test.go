package secondline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// TestMain runs a function in place of the tests, if a test asks for
// it: the real runtime client prints what it prints.
func TestMain(m *testing.M) {
	name := os.Getenv("FUNCTION")
	if start := functions[name]; start != nil {
		start()
	}
	if a, ok := arrangements[name]; ok {
		a.start()
	}
	os.Exit(m.Run())
}

// call is an invocation, and the way that it is to go.
type call struct {
	name    string // of the request
	way     string
	payload []byte
	broken  bool // the invocation fails before the handler is called
}

// wayOf returns the way of an invocation.
func wayOf(ctx context.Context) string {
	lc, _ := lambdacontext.FromContext(ctx)
	return lc.ClientContext.Custom["way"]
}

// invocationOf returns the context of an invocation of this process.
func invocationOf(ctx context.Context, way string) context.Context {
	lc := &lambdacontext.LambdaContext{}
	lc.ClientContext.Custom = map[string]string{"way": way}
	return lambdacontext.NewContext(ctx, lc)
}

// printed is what a function has printed.
type printed struct {
	records map[string]int // of guard.Log, by the name of the request
	errors  []string       // the lines of the runtime client
	rest    []string
}

const patient = 2 * time.Minute

// run runs all calls at once in the process of a function, and reads its log.
func run(t *testing.T, function string, concurrency int, calls []call) printed {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
	}
	var log strings.Builder // of any size
	fn, err := guardtest.NewFunction(self, guardtest.Config{
		Concurrency: concurrency, Timeout: 8 * time.Second, InitTimeout: patient, Env: []string{"FUNCTION=" + function}, Log: &log,
	})
	if err != nil {
		t.Error(err)
		return printed{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	do := func(c call) {
		way, _ := json.Marshal(map[string]any{"custom": map[string]string{"way": c.way}})
		if c.broken {
			way = way[1:]
		}
		_, _ = fn.Do(ctx, guardtest.Call{RequestID: c.name, Payload: c.payload, ClientContext: way})
	}
	var wg sync.WaitGroup
	for _, c := range calls {
		if concurrency == 1 {
			do(c)
			continue
		}
		wg.Go(func() { do(c) })
	}
	wg.Wait()
	fn.Close() // reads the rest of the log
	return read(log.String())
}

func read(log string) printed {
	p := printed{records: map[string]int{}}
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		var record struct{ Message, RequestID string }
		switch _ = json.Unmarshal([]byte(line), &record); {
		case record.Message == "invocation":
			p.records[record.RequestID]++
		case record.RequestID != "": // a warning, or of one record of a batch
		case strings.HasSuffix(line, "a panic, the process should exit"): // which it may do before it is read
		case line == "Runtime.ExitError" || strings.HasPrefix(line, "Error: Runtime exited with error: "): // Lambda's own, if it comes before Close
		case strings.Contains(line, `"errorMessage":`):
			p.errors = append(p.errors, line)
		default:
			p.rest = append(p.rest, line)
		}
	}
	return p
}

// mustRecord checks that there is one record of each call, and no other line of the
// runtime client than those of errors.
func (p printed) mustRecord(t *testing.T, calls []call, errors ...string) {
	t.Helper()
	want := map[string]int{}
	for _, c := range calls {
		want[c.name] = 1
	}
	if !maps.Equal(p.records, want) {
		for name := range want {
			if p.records[name] != 1 {
				t.Errorf("got %d records of %s, want 1", p.records[name], name)
			}
		}
		t.Errorf("got %d records, want %d", len(p.records), len(want))
	}
	p.mustPrint(t, errors...)
}

func (p printed) mustPrint(t *testing.T, errors ...string) {
	t.Helper()
	got := slices.Clone(p.errors)
	for _, want := range errors {
		i := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, want) })
		if i < 0 {
			t.Errorf("got the lines %q, want one with %s", p.errors, want)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		t.Errorf("got %d more lines, want none: %q", len(got), got)
	}
}

func named(way string, n int) call {
	return call{name: strings.ReplaceAll(fmt.Sprint(way, "-", n), " ", "-"), way: way, payload: []byte(`{}`)}
}
