package guard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/process"
)

// TestMain runs a function in place of the tests, if a test asks for it.
func TestMain(m *testing.M) {
	if start := started[os.Getenv("GUARD_FUNCTION")]; start != nil {
		start()
	}
	os.Exit(m.Run())
}

// prints is a hook that prints a line and returns err.
func prints(line string, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		limit := "none"
		if end, ok := ctx.Deadline(); ok && time.Until(end) <= 300*time.Millisecond {
			limit = "300ms"
		} else if ok && time.Until(end) <= 8*time.Second {
			limit = "8s"
		}
		fmt.Println("hook:", line, "limit:", limit)
		return err
	}
}

func panicking(context.Context) error { panic("hunter2") }

var told = guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
	fmt.Println("invoked")
	return fmt.Append(nil, os.Getpid()), nil
})

// started are the functions.
var started = map[string]func(){
	"restored": func() {
		fmt.Println("init")
		guard.Start(told, guard.OnRestore(prints("first", nil)), guard.Errors(), guard.OnRestore(prints("second", nil)))
	},
	"restored without hooks": func() { guard.Start(told) },
	"fails with a code": func() {
		guard.Start(told, guard.OnRestore(prints("first", &guard.Error{
			Kind: guard.Unavailable, Code: "no_secret", Detail: "There is no secret.", Err: fmt.Errorf("%w: %w", guard.Reason("fetch"), errors.New("hunter2")),
		})), guard.OnRestore(prints("second", nil)))
	},
	"fails": func() { guard.Start(told, guard.OnRestore(prints("first", errors.New("hunter2")))) },
	"fails by a typed nil": func() {
		guard.Start(told, guard.OnRestore(prints("first", fmt.Errorf("open: %w", (*os.PathError)(nil)))))
	},
	"panics": func() { guard.Start(told, guard.OnRestore(panicking)) },
	"exits":  func() { guard.Start(told, guard.OnRestore(func() { os.Exit(7) })) },
	"waits": func() {
		guard.Start(told, guard.OnRestore(func(context.Context) error { select {} }))
	},
	"by lambda.Start": func() { lambda.Start(guard.Wrap(told, guard.OnRestore(prints("first", nil)))) },
	"hidden": func() {
		inner := guard.Wrap(told, guard.OnRestore(prints("first", nil)))
		if _, err := inner.Invoke(context.Background(), []byte(`{}`)); err != nil { // fills its caches
			fmt.Println(err)
		}
		guard.Start(guard.HandlerFunc(inner.Invoke))
	},
	"shut down while it works": func() {
		guard.Start(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			fmt.Println("invoked")
			<-ctx.Done()
			return nil, ctx.Err()
		}), guard.OnShutdown(prints("first", nil), prints("second", nil)))
	},
	"shut down while it is restored": func() {
		guard.Start(told, guard.OnShutdown(prints("first", nil)), guard.OnRestore(func() {
			fmt.Println("restoring")
			select {}
		}))
	},
	"shut down": func() {
		guard.Start(told,
			guard.OnShutdown(prints("first", nil), prints("second", nil)),
			guard.OnShutdown(panicking),
			guard.OnShutdown(prints("third", guard.Reason("not flushed"))),
			guard.OnShutdown(prints("fourth", errors.New("hunter2"))),
		)
	},
}

const patient = 2 * time.Minute

// soon returns a context that bounds what a test waits for.
func soon(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// function starts a function of this binary.
func function(t *testing.T, name string, cfg guardtest.Config) *guardtest.Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Memory, cfg.Timeout, cfg.InitTimeout = 2048, patient, patient
	cfg.Env = append(cfg.Env, "GUARD_FUNCTION="+name)
	return guardtest.Start(t, self, cfg)
}

// logged returns the lines of a log that begin with one of prefixes.
func logged(log string, prefixes ...string) string {
	var found []string
	for line := range strings.Lines(log) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				found = append(found, strings.TrimSpace(line))
			}
		}
	}
	return strings.Join(found, "; ")
}

func TestHooksAreCalledBetweenInitAndTheFirstInvocation(t *testing.T) {
	fn := function(t, "restored", guardtest.Config{SnapStart: true})
	if err := fn.Warm(soon(t, patient)); err != nil {
		t.Fatal(err)
	}
	if err := fn.WaitLog(soon(t, patient), "init\n"); err != nil { // the line may come late
		t.Fatal(err)
	}
	if got := logged(fn.Log(), "init", "hook:"); got != "init" {
		t.Errorf("before the restore: got %q, want the init alone", got)
	}
	for range 2 {
		if _, err := fn.Invoke(soon(t, patient), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	fn.Close() // a line may come after the answer
	want := "init; hook: first limit: 8s; hook: second limit: 8s; invoked; invoked"
	if got := logged(fn.Log(), "init", "hook:", "invoked"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEachProcessIsRestoredOnce(t *testing.T) {
	fn := function(t, "restored", guardtest.Config{SnapStart: true, Instances: 4})
	var done sync.WaitGroup
	for range 32 {
		done.Go(func() {
			if _, err := fn.Invoke(soon(t, patient), []byte(`{}`)); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	fn.Close()
	log := fn.Log()
	restored, invoked := strings.Count(log, "hook: first"), strings.Count(log, "invoked")
	if restored == 0 || restored > 4 || invoked != 32 {
		t.Errorf("got %d restores and %d invocations, want 1 to 4 and 32", restored, invoked)
	}
}

func TestAFunctionWithoutSnapStartIsNotRestored(t *testing.T) {
	fn := function(t, "restored", guardtest.Config{})
	if _, err := fn.Invoke(soon(t, patient), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	fn.Close()
	if got := logged(fn.Log(), "init", "hook:", "invoked"); got != "init; invoked" {
		t.Errorf("got %q, want no hook", got)
	}
}

// SECURITY: Nothing leaks.
func TestAFailedRestoreFailsTheInvocationAndEndsTheProcess(t *testing.T) {
	tests := []struct {
		function  string
		errorType string
		message   string
		log       string // the line
	}{
		{
			function: "fails with a code", errorType: "no_secret", message: "There is no secret.",
			log: "no_secret: fetch: *errors.errorString",
		},
		{function: "fails", errorType: "internal", message: "Internal error", log: "*errors.errorString"},
		{function: "fails by a typed nil", errorType: "panic", message: "Internal error", log: "panic: the handler panicked: "},
		{function: "panics", errorType: "panic", message: "Internal error", log: "panic: the handler panicked with a string"},
		{function: "exits", errorType: "Runtime.ExitError", message: "exit status 7"},
	}
	for _, tt := range tests {
		t.Run(tt.function, func(t *testing.T) {
			t.Parallel()
			fn := function(t, tt.function, guardtest.Config{SnapStart: true})
			for range 2 { // the second one is restored in another process
				_, err := fn.Invoke(soon(t, patient), []byte(`{}`))
				failure, ok := errors.AsType[*guardtest.FunctionError](err)
				if !ok || failure.Type != tt.errorType || !strings.Contains(failure.Message, tt.message) {
					t.Fatalf("got %v, want %s: %s", err, tt.errorType, tt.message)
				}
			}
			fn.Close()
			log := fn.Log()
			if tt.log != "" && strings.Count(log, "guard: a hook of OnRestore has failed: "+tt.log) != 2 {
				t.Errorf("got the log %s, want twice %q", log, tt.log)
			}
			if strings.Contains(log, "hunter2") || strings.Contains(log, "second") || strings.Contains(log, "invoked") {
				t.Errorf("got the log %s, want no text of the error, no further hook and no invocation", log)
			}
		})
	}
}

// The test does not wait for Lambda's 10 s: the deadline of the caller comes first.
func TestAHookThatDoesNotReturnFailsTheInvocation(t *testing.T) {
	fn := function(t, "waits", guardtest.Config{SnapStart: true})
	if err := fn.Warm(soon(t, patient)); err != nil {
		t.Fatal(err)
	}
	for limit := 100 * time.Millisecond; ; limit *= 2 { // until it is long enough for the restore to begin
		_, err := fn.Invoke(soon(t, limit), []byte(`{}`))
		if failure, ok := errors.AsType[*guardtest.FunctionError](err); ok && failure.Type == guardtest.TypeTimeout {
			return
		} else if ok || limit > patient {
			t.Fatalf("got %v, want a timeout", err)
		}
	}
}

func TestAFunctionWhoseHooksWereNotCalledRefusesInvocations(t *testing.T) {
	for _, name := range []string{"by lambda.Start", "hidden"} {
		t.Run(name, func(t *testing.T) {
			fn := function(t, name, guardtest.Config{SnapStart: true})
			_, err := fn.Invoke(soon(t, patient), []byte(`{}`))
			if err == nil || !strings.Contains(err.Error(), "start the function with guard.Start") {
				t.Errorf("got %v, want what to do", err)
			}
			fn.Close()
			if log := fn.Log(); strings.Count(log, "invoked") != map[string]int{"hidden": 1}[name] {
				t.Errorf("got the log %s, want the handler called by the init alone", log)
			}
		})
	}
}

func TestAProcessEndsIfItCannotBeRestored(t *testing.T) {
	fn := function(t, "restored", guardtest.Config{Env: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"}}) // which serves no restore
	_, err := fn.Invoke(soon(t, patient), []byte(`{}`))
	if failure, ok := errors.AsType[*guardtest.FunctionError](err); !ok || failure.Type != guardtest.TypeExit {
		t.Errorf("got %v, want the end of the process", err)
	}
	want := "the process was not restored: *lambdaapi.Error status 404"
	if log := fn.Log(); !strings.Contains(log, want) {
		t.Errorf("got the log %s, want %q", log, want)
	}
}

func TestShutdownHooksAreCalledLastFirst(t *testing.T) {
	var log strings.Builder
	proc, asked := startAlone(t, "shut down", "on-demand", &log)
	for got := ""; got != "GET invocation/next"; {
		select {
		case got = <-asked:
		case <-soon(t, patient).Done():
			t.Fatal("the function does not begin")
		}
	}
	proc.Stop(patient)
	if err := proc.Err(); err != nil {
		t.Errorf("the process: %v", err)
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		if _, text, ok := strings.Cut(line, "guard: "); ok {
			got = append(got, strings.TrimSpace(text))
		} else if _, text, ok := strings.Cut(line, "hook: "); ok {
			got = append(got, strings.TrimSpace(text))
		}
	}
	want := "fourth limit: 300ms; a hook of OnShutdown has failed: *errors.errorString; " +
		"third limit: 300ms; a hook of OnShutdown has failed: not flushed; " +
		"a hook of OnShutdown has failed: panic: the handler panicked with a string; second limit: 300ms; first limit: 300ms"
	if got := strings.Join(got, "; "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("got the log %s, want no text of an error", log.String())
	}
}

// SIGTERM may come while an invocation runs, and before the first one.
func TestShutdownHooksAreCalledWhateverRuns(t *testing.T) {
	tests := []struct {
		function  string
		snapStart bool
		running   string // the line that says that it runs
		want      string
	}{
		{function: "shut down while it works", running: "invoked", want: "hook: second limit: 300ms; hook: first limit: 300ms"},
		{function: "shut down while it is restored", snapStart: true, running: "restoring", want: "hook: first limit: 300ms"},
	}
	for _, tt := range tests {
		t.Run(tt.function, func(t *testing.T) {
			t.Parallel()
			rt, err := guardtest.NewRuntime(guardtest.Config{SnapStart: tt.snapStart, Timeout: patient})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(rt.Close)
			ended := make(chan error, 1)
			go func() {
				_, err := rt.Invoke(soon(t, patient), []byte(`{}`))
				ended <- err
			}()
			kind := map[bool]string{true: "snap-start", false: "on-demand"}[tt.snapStart]
			lines, log := io.Pipe()
			proc, err := process.Start(command(t, tt.function, kind, rt.Addr()), log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proc.Kill)
			go func() { _ = log.CloseWithError(proc.Err()) }()
			var hooks []string
			stop := sync.OnceFunc(func() { go proc.Stop(patient) })
			for from := bufio.NewScanner(lines); from.Scan(); {
				switch line := from.Text(); {
				case line == tt.running:
					stop()
				case strings.HasPrefix(line, "hook: "):
					hooks = append(hooks, line)
				}
			}
			if err := proc.Err(); err != nil {
				t.Errorf("the process: %v", err)
			}
			if got := strings.Join(hooks, "; "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			rt.Exited(proc.Err())
			if err := <-ended; err == nil {
				t.Error("got an answer, want the end of the function")
			}
		})
	}
}

// command returns a function of this binary.
func command(t *testing.T, function, kind, api string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "GUARD_FUNCTION="+function, "AWS_LAMBDA_INITIALIZATION_TYPE="+kind, "AWS_LAMBDA_RUNTIME_API="+api)
	return cmd
}

// startAlone starts a function with an API that has no invocations for it. asked gets
// the requests.
func startAlone(t *testing.T, function, kind string, log io.Writer) (proc *process.Process, asked <-chan string) {
	t.Helper()
	requests := make(chan string, 10)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.NewReplacer("/2018-06-01/runtime/", "", "/2020-01-01/", "").Replace(r.URL.Path)
		_, _ = io.Copy(io.Discard, r.Body)
		if path != "extension/event/next" { // which comes at any time
			requests <- strings.TrimSpace(r.Method + " " + path + " " + r.Header.Get("Lambda-Runtime-Function-Error-Type"))
		}
		switch path {
		case "restore/error":
			w.WriteHeader(http.StatusAccepted)
		case "invocation/next", "extension/event/next":
			<-r.Context().Done()
		}
	}))
	proc, err := process.Start(command(t, function, kind, strings.TrimPrefix(api.URL, "http://")), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	t.Cleanup(proc.Kill)
	return proc, requests
}

// What Start asks of Lambda, in its order.
func TestStartAsksForNoMoreThanItsHooksNeed(t *testing.T) {
	tests := []struct {
		function string
		kind     string // of initialization
		want     string
	}{
		{function: "restored", kind: "on-demand", want: "GET invocation/next"},
		{function: "restored without hooks", kind: "snap-start", want: "GET restore/next; GET invocation/next"},
		{function: "shut down", kind: "on-demand", want: "POST extension/register; GET invocation/next"},
		{function: "fails with a code", kind: "snap-start", want: "GET restore/next; POST restore/error Runtime.AfterRestoreError"},
	}
	for _, tt := range tests {
		t.Run(tt.function+" "+tt.kind, func(t *testing.T) {
			t.Parallel()
			_, asked := startAlone(t, tt.function, tt.kind, t.Output())
			for want := range strings.SplitSeq(tt.want, "; ") {
				select {
				case got := <-asked:
					if got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				case <-soon(t, patient).Done():
					t.Fatalf("got nothing more, want %q", want)
				}
			}
		})
	}
}
