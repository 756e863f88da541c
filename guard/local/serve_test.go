//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestPackageIsBuiltAndServed(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-route", "POST /echo", "-route", "GET /pid", echoPackage)
	want := regexp.MustCompile(`^echo on http://127\.0\.0\.1:\d+ \(timeout 29s, memory 128 MB, payload format 2\.0\)
  POST /echo
  GET /pid
try: curl -i -X POST http://127\.0\.0\.1:\d+/echo -H 'Content-Type: application/json' -d '\{\}'
$`)
	if !want.MatchString(s.banner) {
		t.Errorf("it prints %s", s.banner)
	}
	res, err := http.Post(s.url+"/echo?a=1", "application/json", strings.NewReader(`{"b":2}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var event struct{ Version, RouteKey, RawQueryString, Body string }
	if err := json.NewDecoder(res.Body).Decode(&event); err != nil {
		t.Fatal(err)
	}
	if event.Version != "2.0" || event.RouteKey != "POST /echo" || event.RawQueryString != "a=1" || event.Body != `{"b":2}` {
		t.Errorf("event %+v", event)
	}
	if status, body := s.get("/echo"); status != 404 || body != `{"message":"Not Found"}` {
		t.Errorf("a request without a route: %d %s", status, body)
	}
	s.onConsole("init of " + s.answer("/pid"))
}

// printedCommand is the curl line that the command has printed.
func printedCommand(t *testing.T, s *session) string {
	t.Helper()
	curl, err := exec.LookPath("curl")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("install curl to run what is printed")
	}
	_, command, _ := strings.Cut(s.banner, "try: ")
	return strings.Replace(strings.TrimSpace(command), "curl", curl+" -s", 1)
}

func TestPrintedCommandWorks(t *testing.T) {
	t.Parallel()
	for route, path := range map[string]string{"$default": "/", "POST /echo": "/echo", "ANY /echo/{proxy+}": "/echo/proxy", "GET /{id}": "/id", "DELETE /a": "/a", "HEAD /a": "/a"} {
		s := serveLocal(t, "-route", route, echo)
		command := printedCommand(t, s)
		if !strings.Contains(command, s.url+path) {
			t.Errorf("%s: %s", route, command)
		}
		answer, err := exec.Command("sh", "-c", command).Output()
		if err != nil || strings.Contains(string(answer), " 404 ") {
			t.Errorf("%s: %v, %s", command, err, answer)
		}
	}
}

func TestPayloadFormat1(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-format", "1.0", echo)
	// The function finds no rawPath and reports an unknown action: an error, so 502.
	if status, body := s.get("/echo"); status != 502 {
		t.Errorf("%d %s", status, body)
	}
	s.onConsole("unknown action")
}

func TestFunctionsEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-caller")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_PROFILE", "mine")
	t.Setenv("LOCAL_TEST_OTHER", "does not pass")
	env := writeFile(t, "env", "# tables\n\nORDERS_TABLE=orders=1 \"x\"\nAWS_PROFILE=theirs\r\n")
	s := serveLocal(t, "-env", env, "-memory", "256", "-concurrency", "4", echo)
	var environ []string
	if err := json.Unmarshal([]byte(s.answer("/env")), &environ); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_SAM_LOCAL=true", "AWS_LAMBDA_FUNCTION_NAME=echo", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_MAX_CONCURRENCY=4",
		"AWS_ACCESS_KEY_ID=of-the-caller", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", "AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1",
		`ORDERS_TABLE=orders=1 "x"`, "AWS_PROFILE=theirs", "HOME=" + os.Getenv("HOME"), "LAMBDA_TASK_ROOT=" + filepath.Dir(echo),
	} {
		if !slices.Contains(environ, want) {
			t.Errorf("%s is not there", want)
		}
	}
	for _, variable := range environ {
		if strings.HasPrefix(variable, "LOCAL_TEST_OTHER=") {
			t.Error(variable)
		}
	}
}

func TestFailedFunctionIsReportedAndReplaced(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path    string
		status  int
		body    string
		console []string
	}{
		{path: "/error?no", status: 502, body: `{"message":"Internal Server Error"}`, console: []string{"errorString: no"}},
		{
			path:    "/panic?boom",
			status:  502,
			body:    `{"message":"Internal Server Error"}`,
			console: []string{"failed: string: boom", "Runtime.ExitError"},
		},
		{
			path:    "/exit",
			status:  502,
			body:    `{"message":"Internal Server Error"}`,
			console: []string{"Runtime exited with error: exit status 7", "Runtime.ExitError"},
		},
	}
	s := serveLocal(t, echo)
	for _, tt := range tests {
		if status, body := s.get(tt.path); status != tt.status || body != tt.body {
			t.Errorf("%s: %d %s", tt.path, status, body)
		}
		for _, text := range tt.console {
			s.onConsole(text)
		}
		s.answer("/pid")
	}
}

func TestFunctionThatOverrunsIsReportedAndReplaced(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-timeout", "1s", echo)
	if status, body := s.get("/overrun"); status != 504 || body != `{"message":"Endpoint request timed out"}` {
		t.Errorf("%d %s", status, body)
	}
	s.onConsole("Task timed out after 1.00 seconds")
	eventually(t, "a process answers within its second", func() bool {
		status, _ := s.get("/pid")
		return status == 200
	})
}

func TestFunctionThatDoesNotInitialiseIsTriedPerRequest(t *testing.T) {
	t.Parallel()
	env := writeFile(t, "env", "INIT=exit\n")
	s := serveLocal(t, "-env", env, echo)
	for n := 2; n <= 4; n++ { // the first was before any request
		if status, _ := s.get("/"); status != 502 {
			t.Errorf("status %d", status)
		}
		eventually(t, "the reason is on the console", func() bool {
			return strings.Count(s.console.String(), "Init failed: Runtime exited with error: exit status 3") == n
		})
	}
	if starts := strings.Count(s.console.String(), "init gives up"); starts != 4 {
		t.Errorf("%d starts for three requests and one ahead of them", starts)
	}
}

func TestOneProcessTakes64RequestsAtOnce(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-concurrency", "64", echo)
	before := s.answer("/pid")
	meet64(s)
	if after := s.answer("/pid"); after != before {
		t.Errorf("process %s, then %s", before, after)
	}
}

// meet64 succeeds only when all requests are inside the function at once.
func meet64(s *session) {
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if got, want := s.answer(fmt.Sprintf("/meet64?%d", i)), fmt.Sprintf("%q", fmt.Sprint(i)); got != want {
				s.t.Errorf("answer %s, want %s", got, want)
			}
		})
	}
	wg.Wait()
}

func TestRequestsBeyondTheInstancesWait(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-instances", "4", echo)
	event, happen := newEvent(t)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		pids = map[string]int{}
	)
	for range 16 {
		wg.Go(func() {
			pid := s.answer("/await?" + event)
			mu.Lock()
			pids[pid]++
			mu.Unlock()
		})
	}
	eventually(t, "each process has a request", func() bool { return strings.Count(s.console.String(), "awaiting") == 4 })
	happen()
	wg.Wait()
	if len(pids) != 4 {
		t.Errorf("%d processes: %v", len(pids), pids)
	}
}

func TestAnswerOverLambdasLimit(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, echo)
	if status, _ := s.get("/big?6291600"); status != 502 {
		t.Errorf("status %d", status)
	}
	s.onConsole("Function.ResponseSizeTooLarge")
	if body := s.answer("/big?6000000"); len(body) != 6000002 {
		t.Errorf("%d bytes", len(body))
	}
}

func TestRequestOverTheLimits(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, echo)
	for _, size := range []int{7 << 20, 10<<20 + 1} { // over Lambda's, over API Gateway's
		res, err := http.Post(s.url+"/echo", "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 413 {
			t.Errorf("%d bytes: %d %s", size, res.StatusCode, body)
		}
	}
}

func TestClientThatLeavesHarmsNothing(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, echo)
	before := s.answer("/pid")
	event, happen := newEvent(t)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		req, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/await?"+event, nil)
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	}()
	s.onConsole("awaiting")
	leave()
	<-left
	happen()
	if after := s.answer("/pid"); after != before {
		t.Errorf("process %s, then %s", before, after)
	}
	if strings.Contains(s.console.String(), "failed") {
		t.Errorf("the console: %s", s.console)
	}
}

func TestEndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for signal, function := range map[os.Signal]string{os.Interrupt: echoPackage, syscall.SIGTERM: echo, syscall.SIGHUP: echo} {
		t.Run(signal.String(), func(t *testing.T) {
			s := serveLocal(t, function)
			pids := []string{s.answer("/pid"), s.answer("/child")}
			if status := s.end(signal); status != 0 {
				t.Errorf("exit status %d", status)
			}
			for _, pid := range pids {
				eventually(t, "process "+pid+" is gone", func() bool { return gone(pid) })
			}
			if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
				t.Errorf("left in the temporary folder: %v, %v", left, err)
			}
			// Another may have the port by now, but not this function.
			if res, err := http.Get(s.url + "/pid"); err == nil {
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if string(body) == pids[0] {
					t.Error("it still serves")
				}
			}
		})
	}
}

// A function with an extension inside is asked to end, and what it prints then is kept.
func TestFunctionIsAskedToEnd(t *testing.T) {
	t.Parallel()
	env := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(env, []byte("SIGTERM=handled\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		const tries = 20 // each has half a second, as in Lambda
		for try := 1; ; try++ {
			s := serveLocal(t, "-env", env, echo)
			s.answer("/pid")
			if status := s.end(signal); status != 0 {
				t.Errorf("%s: exit status %d", signal, status)
			}
			if strings.Contains(s.console.String(), "got SIGTERM\n") {
				break
			}
			if try == tries {
				t.Fatalf("%s: the function was never asked to end", signal)
			}
		}
	}
}

// The linker is at work.
func TestEndDuringTheBuildLeavesNothingBehind(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "tool")
	begun := tool + ".begun"
	script := fmt.Sprintf(`#!/bin/sh
case "$*" in
*/link\ -o*)
	: >%[1]s
	while [ -e %[1]s ]; do sleep 0.01; done # until the test's folder is removed
	exit 1
esac
exec "$@"
`, begun)
	if err := os.WriteFile(tool, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-toolexec="+tool)
	s := startLocal(t, echoPackage)
	eventually(t, "the build has begun", func() bool {
		_, err := os.Stat(begun)
		return err == nil
	})
	if left, err := os.ReadDir(s.temp); err != nil || len(left) == 0 {
		t.Fatalf("in the temporary folder: %v, %v", left, err)
	}
	if status := s.end(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestRequestUnderWayIsAnsweredAtTheEnd(t *testing.T) {
	opts, err := parseOptions([]string{"-addr", "127.0.0.1:0", echo}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	opts.grace = patient
	written := &output{}
	own := &console{to: written}
	functions, err := startFunctions(t.Context(), &opts, own)
	if err != nil {
		t.Fatal(err)
	}
	defer functions.end()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	stdout, ended := &output{}, make(chan int, 1)
	go func() { ended <- serve(ctx, functions, opts, stdout, own) }()
	eventually(t, "it serves", func() bool { return strings.Contains(stdout.String(), "try: ") })
	_, rest, _ := strings.Cut(stdout.String(), " on ")
	url, _, _ := strings.Cut(rest, " ")
	s := &session{t: t, url: url, console: written}

	event, happen := newEvent(t)
	answered := make(chan string, 1)
	go func() { answered <- s.answer("/await?" + event) }()
	s.onConsole("awaiting")
	end()
	s.onConsole("ending")
	happen()
	if got := <-answered; !strings.Contains(written.String(), "init of "+got+"\n") {
		t.Errorf("answer %s; console:\n%s", got, written)
	}
	if status := <-ended; status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestRequestThatTakesTooLongIsCutAtTheEnd(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, echo)
	pid := s.answer("/pid")
	answered := make(chan int, 1)
	go func() {
		status, _ := s.get("/overrun")
		answered <- status
	}()
	s.onConsole("overrunning")
	if status := s.end(os.Interrupt); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if status := <-answered; status != 502 {
		t.Errorf("status %d", status)
	}
	eventually(t, "process "+pid+" is gone", func() bool { return gone(pid) })
}

func TestFunctionDiesWithAKilledCommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process of its parent's death")
	}
	s := serveLocal(t, echo)
	pid := s.answer("/pid")
	// Busy, so that it does not end for want of a Runtime API.
	go func() {
		if res, err := http.Get(s.url + "/overrun"); err == nil {
			res.Body.Close()
		}
	}()
	s.onConsole("overrunning")
	s.end(os.Kill)
	eventually(t, "process "+pid+" is gone", func() bool { return gone(pid) })
}
