package guardtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// extensionBinary builds testdata/extension once.
var extensionBinary = sync.OnceValues(func() (string, error) {
	return guardtest.Compile(context.Background(), "./testdata/extension", filepath.Dir(echo))
})

// extensions returns a folder with the named extensions of testdata/extension.
func extensions(t *testing.T, names ...string) string {
	t.Helper()
	binary, err := extensionBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		if err := os.Symlink(binary, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// beside starts a function with the named extensions beside it.
func beside(t *testing.T, cfg guardtest.Config, names ...string) *guardtest.Function {
	t.Helper()
	cfg.Extensions = extensions(t, names...)
	cfg.Memory = 1024
	fn := start(t, cfg)
	fn.SetShutdownGrace(patient)
	return fn
}

func waitLog(t *testing.T, fn *guardtest.Function, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := fn.WaitLog(within(t, patient), text); err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder fails if the texts are not in the log in this order.
func inOrder(t *testing.T, log string, texts ...string) {
	t.Helper()
	rest := log
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Fatalf("%q is not in its place in the log:\n%s", text, log)
		}
		rest = after
	}
}

func TestExtensionLivesThroughAllPhases(t *testing.T) {
	fn := beside(t, guardtest.Config{Name: "orders", Version: "7", Env: []string{"SIGTERM=handled"}}, "watch")
	for _, id := range []string{"first", "second"} {
		if _, err := fn.Do(within(t, patient), guardtest.Call{RequestID: id, Payload: []byte(`{"do":"pid"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	waitLog(t, fn, "watch invoke second\n")
	fn.Close()
	if line := "EXTENSION\tName: watch\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n"; !strings.Contains(fn.Log(), line) {
		t.Errorf("%q is not in the log: %s", line, fn.Log())
	}
	inOrder(t, fn.Log(),
		`watch registered 200 {"accountId":"123456789012","functionName":"orders","functionVersion":"7","handler":"bootstrap"}`,
		"watch invoke first\n",
		"watch invoke second\n",
		"got SIGTERM\n", // the runtime ends first
		"watch shuts down, reason spindown\n",
	)
}

func TestExtensionsHearOfWhatTheyRegisteredFor(t *testing.T) {
	fn := beside(t, guardtest.Config{}, "invoke-only", "shutdown-only")
	for range 3 {
		answer(t, fn, `{"do":"pid"}`)
	}
	fn.Close()
	log := fn.Log()
	inOrder(t, log, "EXTENSION\tName: invoke-only\tState: Ready\tEvents: [INVOKE]\n", "EXTENSION\tName: shutdown-only\tState: Ready\tEvents: [SHUTDOWN]\n")
	if strings.Contains(log, "shutdown-only invoke") || strings.Contains(log, "invoke-only shuts down") || !strings.Contains(log, "shutdown-only shuts down") {
		t.Errorf("the log: %s", log)
	}
}

func TestExtensionSeesTheFunctionsVariablesButTheRuntimes(t *testing.T) {
	fn := beside(t, guardtest.Config{Env: []string{"MINE=1", "_MINE=2", "AWS_EXECUTION_ENV=AWS_Lambda_go"}}, "environment")
	answer(t, fn, `{"do":"pid"}`)
	_, after, _ := strings.Cut(fn.Log(), "environment environment ")
	line, _, _ := strings.Cut(after, "\n")
	var environ []string
	if err := json.Unmarshal([]byte(line), &environ); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		got[name] = true
	}
	for name, want := range map[string]bool{
		"AWS_LAMBDA_RUNTIME_API": true, "AWS_LAMBDA_FUNCTION_NAME": true, "AWS_REGION": true, "MINE": true,
		"_HANDLER": false, "_MINE": false, "AWS_EXECUTION_ENV": false, "LAMBDA_TASK_ROOT": false,
		"LAMBDA_RUNTIME_DIR": false, "AWS_LAMBDA_LOG_GROUP_NAME": false, "AWS_LAMBDA_LOG_STREAM_NAME": false,
	} {
		if got[name] != want {
			t.Errorf("%s is set: %t, want %t", name, got[name], want)
		}
	}
}

func TestFailingExtensionFailsTheInit(t *testing.T) {
	const id = "0f5b9b2c"
	tests := []struct {
		extension string
		errorType string
		message   string // a regular expression
		logged    string
	}{
		{extension: "exits-before", errorType: guardtest.TypeExtensionCrash, message: "exit status 3", logged: "EXTENSION\tName: exits-before\tState: Started\tEvents: []\n"},
		{extension: "exits-in-init", errorType: guardtest.TypeExtensionCrash, message: "exit code 0", logged: "EXTENSION\tName: exits-in-init\tState: Registered\tEvents: [INVOKE,SHUTDOWN]\n"},
		{extension: "init-error", errorType: guardtest.TypeExtensionInit, message: "exit status 1", logged: "EXTENSION\tName: init-error\tState: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Config.Missing\n"},
	}
	for _, tt := range tests {
		t.Run(tt.extension, func(t *testing.T) {
			fn := beside(t, guardtest.Config{}, tt.extension, "watch")
			for range 2 { // it is tried again with the next invocation
				_, err := fn.Do(within(t, patient), guardtest.Call{RequestID: id, Payload: []byte(`{"do":"pid"}`)})
				got := failure(t, err)
				if want := "RequestId: " + id + " Error: "; got.Type != tt.errorType || !regexp.MustCompile("^"+want+tt.message+"$").MatchString(got.Message) {
					t.Errorf("%v, want %s: %s%s", got, tt.errorType, want, tt.message)
				}
			}
			waitLog(t, fn, tt.logged, "\n"+tt.errorType+"\n")
		})
	}
}

// In Lambda too a wrong name registers another extension, and the launched one is
// waited for in vain.
func TestExtensionThatDoesNotGetReadyTimesTheInitOut(t *testing.T) {
	for extension, logged := range map[string]string{
		"silent":      "EXTENSION\tName: silent\tState: Started\tEvents: []\n",
		"misnamed":    "EXTENSION\tName: misnamed\tState: Started\tEvents: []\n",
		"never-ready": "EXTENSION\tName: never-ready\tState: Registered\tEvents: [INVOKE,SHUTDOWN]\n",
	} {
		t.Run(extension, func(t *testing.T) {
			// Again with more time, if an extension had too little to register.
			for limit := 300 * time.Millisecond; limit < patient; limit *= 2 {
				fn := beside(t, guardtest.Config{InitTimeout: limit}, extension)
				fn.SetShutdownGrace(time.Millisecond)
				_, err := fn.Invoke(within(t, patient), []byte(`{"do":"pid"}`))
				if got := failure(t, err); got.Type != guardtest.TypeTimeout || !strings.Contains(got.Message, "Error: Init timed out after ") {
					t.Errorf("%v", got)
				}
				if extension != "never-ready" && strings.Contains(fn.Log(), "init of") {
					t.Errorf("the runtime did not wait for the extension to register: %s", fn.Log())
				}
				if strings.Contains(fn.Log(), logged) {
					return
				}
			}
			t.Errorf("%q is never in the log", logged)
		})
	}
}

func TestExtensionThatCannotBeStartedFailsTheInit(t *testing.T) {
	tests := []struct {
		name   string
		folder func(t *testing.T) string
		logged string
	}{
		{name: "not executable", logged: "EXTENSION\tName: notes.txt\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n", folder: func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("#!/bin/sh\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{name: "not a program", logged: "EXTENSION\tName: junk\tState: LaunchError\tEvents: []\tError Type: UnknownError\n", folder: func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "junk"), []byte("junk"), 0o700); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{name: "the eleventh", logged: "EXTENSION\tName: watch11\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions\n", folder: func(t *testing.T) string {
			var names []string
			for n := range 11 {
				names = append(names, fmt.Sprintf("watch%02d", n+1))
			}
			return extensions(t, names...)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := start(t, guardtest.Config{Extensions: tt.folder(t)})
			_, err := fn.Invoke(within(t, patient), []byte(`{"do":"pid"}`))
			if got := failure(t, err); got.Type != guardtest.TypeExtensionLaunch {
				t.Errorf("%v, want type %s", got, guardtest.TypeExtensionLaunch)
			}
			if !strings.Contains(fn.Log(), tt.logged) {
				t.Errorf("%q is not in the log: %s", tt.logged, fn.Log())
			}
		})
	}
}

func TestFoldersAmongExtensionsAreNotStarted(t *testing.T) {
	dir := extensions(t, "watch")
	if err := os.Mkdir(filepath.Join(dir, "library"), 0o700); err != nil {
		t.Fatal(err)
	}
	answer(t, start(t, guardtest.Config{Extensions: dir}), `{"do":"pid"}`)
}

func TestExtensionsFolderIsChecked(t *testing.T) {
	_, err := guardtest.NewFunction(echo, guardtest.Config{Extensions: filepath.Join(t.TempDir(), "missing")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	dir := t.TempDir()
	large, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(262144000); err != nil { // without the binary it would fit
		t.Fatal(err)
	}
	_, err = guardtest.NewFunction(echo, guardtest.Config{Extensions: dir})
	if err == nil || !strings.Contains(err.Error(), "function code combined with layers exceeds the maximum allowed size of 262144000 bytes; the actual size is ") {
		t.Errorf("a large folder: %v", err)
	}
}

func TestAnswerDoesNotWaitForExtensionsButTheNextInvocationDoes(t *testing.T) {
	done := newEvent(t)
	fn := beside(t, guardtest.Config{Env: []string{"EXTENSION_AWAITS=" + string(done)}}, "slow")
	first, err := fn.Do(within(t, patient), guardtest.Call{RequestID: "first", Payload: []byte(`{"do":"pid"}`)})
	if err != nil {
		t.Fatal(err)
	}
	second := invoke(within(t, patient), fn, guardtest.Call{RequestID: "second", Payload: []byte(`{"do":"log","text":"the second runs"}`)})
	waitLog(t, fn, "slow invoke first")
	if _, err := first.PostRuntimeExtensionsDuration(within(t, 10*time.Millisecond)); !errors.Is(err, errTooLong) {
		t.Errorf("the extension is not done, and the phase over: %v", err)
	}
	if strings.Contains(fn.Log(), "the second runs") {
		t.Error("the second invocation did not wait")
	}
	done.happen(t)
	took, err := first.PostRuntimeExtensionsDuration(within(t, patient))
	if err != nil || took < 10*time.Millisecond {
		t.Errorf("the phase went on for %s, %v", took, err)
	}
	if got := <-second; got.err != nil {
		t.Fatal(got.err)
	}
	waitLog(t, fn, "slow done with first", "the second runs", "slow done with second")
}

// While an extension is not done, its environment is busy and another one is started.
func TestEnvironmentIsBusyUntilItsExtensionsAreDone(t *testing.T) {
	done := newEvent(t)
	fn := beside(t, guardtest.Config{Instances: 2, Env: []string{"EXTENSION_AWAITS=" + string(done)}}, "slow")
	first := answer(t, fn, `{"do":"pid"}`)
	if second := answer(t, fn, `{"do":"pid"}`); first == second {
		t.Errorf("process %s answered while its extension was not done", first)
	}
	done.happen(t)
}

func TestExtensionThatFailsDuringAnInvocationEndsTheEnvironment(t *testing.T) {
	for extension, want := range map[string]struct{ errorType, reason string }{
		"crashes":    {guardtest.TypeExtensionCrash, "exit status 2"},
		"exit-error": {guardtest.TypeExtensionExit, "exit status 1"},
	} {
		t.Run(extension, func(t *testing.T) {
			fn := beside(t, guardtest.Config{}, extension, "watch")
			_, err := fn.Do(within(t, patient), guardtest.Call{RequestID: "r-1", Payload: []byte(`{"do":"overrun"}`)})
			got := failure(t, err)
			if message := "RequestId: r-1 Error: " + want.reason; got.Type != want.errorType || got.Message != message {
				t.Errorf("%v, want %s: %s", got, want.errorType, message)
			}
			waitLog(t, fn, "watch shuts down, reason failure", got.Message+"\n"+got.Type)
		})
	}
}

func TestRuntimeThatEndsTellsTheExtensions(t *testing.T) {
	fn := beside(t, guardtest.Config{}, "watch")
	_, err := fn.Invoke(within(t, patient), []byte(`{"do":"exit"}`))
	if got := failure(t, err); got.Type != guardtest.TypeExit {
		t.Errorf("%v", got)
	}
	waitLog(t, fn, "watch shuts down, reason failure")
	answer(t, fn, `{"do":"pid"}`)
	if n := strings.Count(fn.Log(), "watch registered 200"); n != 2 {
		t.Errorf("%d starts of the extension, want 2", n)
	}
}

func TestTimeoutCoversTheExtensions(t *testing.T) {
	fn := beside(t, guardtest.Config{Env: []string{"EXTENSION_AWAITS=" + string(newEvent(t))}}, "slow", "watch")
	if err := fn.Warm(within(t, patient)); err != nil {
		t.Fatal(err)
	}
	fn.SetShutdownGrace(time.Millisecond) // slow does not come to its SHUTDOWN event
	var before guardtest.Result
	err := error(guardtest.ErrClosed)
	for limit := 500 * time.Millisecond; err != nil && limit < patient; limit *= 2 {
		before, err = fn.Do(within(t, limit), guardtest.Call{RequestID: "r-1", Payload: []byte(`{"do":"pid"}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = before.PostRuntimeExtensionsDuration(within(t, patient))
	if got := failure(t, err); got.Type != guardtest.TypeTimeout || !strings.Contains(got.Message, "r-1 Task timed out after ") {
		t.Errorf("%v", got)
	}
	if after := answer(t, fn, `{"do":"pid"}`); after == string(before.Payload) {
		t.Error("the environment goes on")
	}
	waitLog(t, fn, "watch invoke r-1")
}

func TestOverrunTellsTheExtensions(t *testing.T) {
	fn := beside(t, guardtest.Config{}, "watch")
	overrun(t, fn)
	waitLog(t, fn, "watch shuts down, reason timeout")
}

func TestExtensionThatIgnoresItsShutdownIsKilled(t *testing.T) {
	fn := beside(t, guardtest.Config{}, "ignores-shutdown")
	fn.SetShutdownGrace(300 * time.Millisecond)
	answer(t, fn, `{"do":"pid"}`)
	fn.Close() // returns when its process is gone
	if strings.Contains(fn.Log(), "Error") {
		t.Errorf("the log: %s", fn.Log())
	}
}

func TestManagedInstancesSendNoInvokeEvents(t *testing.T) {
	fn := beside(t, guardtest.Config{Concurrency: 4, Instances: 2}, "watch")
	if want := `"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"`; !strings.Contains(answer(t, fn, `{"do":"env"}`), want) {
		t.Errorf("%s is not set", want)
	}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() { answer(t, fn, `{"do":"pid"}`) })
	}
	wg.Wait()
	fn.Close()
	if log := fn.Log(); strings.Contains(log, "watch invoke") ||
		!strings.Contains(log, `watch registered 400 {"errorMessage":"INVOKE: ErrorInvalidEventType","errorType":"Extension.InvalidEventType"}`) ||
		!strings.Contains(log, "watch shuts down, reason spindown") {
		t.Errorf("the log: %s", log)
	}
}

func TestRegistrationsAreLimited(t *testing.T) {
	_, function := newRuntime(t, guardtest.Config{})
	register := func(name string, header ...string) (status int, answer, id string) {
		res, answer := function.do("POST", "/2020-01-01/extension/register", `{"events":["SHUTDOWN"]}`, append(header, "Lambda-Extension-Name", name)...)
		return res.StatusCode, answer, res.Header.Get("Lambda-Extension-Identifier")
	}
	var ids []string
	for n := range 10 {
		status, answer, id := register(fmt.Sprint(n))
		if status != 200 || id == "" || strings.Contains(answer, "accountId") {
			t.Fatalf("extension %d: %d %s", n, status, answer)
		}
		ids = append(ids, id)
	}
	if status, answer, _ := register("eleventh"); status != 403 || !strings.Contains(answer, `"Extension limit (10) reached","errorType":"Extension.TooManyExtensions"`) {
		t.Errorf("the eleventh: %d %s", status, answer)
	}
	next := func(ctx context.Context, id string) (status int, answer string) {
		req, err := http.NewRequestWithContext(ctx, "GET", function.base+"/2020-01-01/extension/event/next", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Lambda-Extension-Identifier", id)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	// An extension that waits already is refused; which of the two, chance decides.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answers := make(chan string, 2)
	for range 2 {
		go func() {
			status, answer := next(ctx, ids[0])
			answers <- fmt.Sprint(status, answer)
		}()
	}
	if got := <-answers; !strings.Contains(got, "403") || !strings.Contains(got, "Extension.InvalidExtensionState") {
		t.Errorf("one of two: %s", got)
	}
	cancel()
	<-answers
	if status, answer := next(t.Context(), ""); status != 403 || !strings.Contains(answer, "Extension.MissingExtensionIdentifier") {
		t.Errorf("no identifier: %d %s", status, answer)
	}
}

// Each of many environments sees its own invocations, and each of them once.
func TestManyEnvironmentsWithExtensionsAtOnce(t *testing.T) {
	const calls = 100
	fn := beside(t, guardtest.Config{Instances: 4}, "watch", "invoke-only")
	var wg sync.WaitGroup
	for n := range calls {
		wg.Go(func() {
			result, err := fn.Do(within(t, patient), guardtest.Call{RequestID: fmt.Sprintf("r-%03d", n), Payload: []byte(`{"do":"pid"}`)})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := result.PostRuntimeExtensionsDuration(within(t, patient)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fn.Close()
	for n := range calls {
		for _, extension := range []string{"watch", "invoke-only"} {
			if line := fmt.Sprintf("%s invoke r-%03d\n", extension, n); strings.Count(fn.Log(), line) != 1 {
				t.Errorf("%q is %d times in the log", line, strings.Count(fn.Log(), line))
			}
		}
	}
}

func TestExtensionInAnotherLanguage(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("it needs python3")
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, "-c", "import sys; print(sys.executable)").Output(); err == nil {
		python = strings.TrimSpace(string(out)) // not a shim, which needs variables of its own
	}
	text, err := os.ReadFile("testdata/extension.py")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "watch.py"), append([]byte("#!"+python+"\n"), text...), 0o700); err != nil {
		t.Fatal(err)
	}
	fn := start(t, guardtest.Config{Extensions: dir})
	fn.SetShutdownGrace(patient)
	result, err := fn.Do(within(t, patient), guardtest.Call{RequestID: "r-1", Payload: []byte(`{"do":"pid"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.PostRuntimeExtensionsDuration(within(t, patient)); err != nil {
		t.Fatal(err)
	}
	fn.Close()
	inOrder(t, fn.Log(), "EXTENSION\tName: watch.py\tState: Ready\tEvents: [INVOKE,SHUTDOWN]", "python got INVOKE r-1", "python got SHUTDOWN spindown")
}
