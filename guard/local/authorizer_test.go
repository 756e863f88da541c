//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const authorizerPackage = "./testdata/authorizer"

// as is get with a token.
func (s *session) as(token, path string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Errorf("%s: %v", path, err)
		return 0, ""
	}
	defer res.Body.Close()
	content, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(content)
}

func TestAuthorizerStandsBeforeTheFunction(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-authorizer", authorizer, "-identity", "$request.header.Authorization, $context.routeKey", "-ttl", "300s",
		"-route", "GET /echo", "-route", "GET /pid", echo)

	// What it prints at its start is there before the first request.
	s.onConsole("authorizer: the token is let-me-in\nauthorizer: init of ")
	if want := regexp.MustCompile(`(?m)^behind an authorizer \(\$request.header.Authorization, \$context.routeKey, format simple, TTL 5m0s\)
try: curl -i http://\S+/echo -H 'Authorization: \.\.\.'$`); !want.MatchString(s.banner) {
		t.Errorf("it prints %s", s.banner)
	}

	if status, body := s.get("/echo"); status != 401 || body != `{"message":"Unauthorized"}` {
		t.Errorf("no token: %d %s", status, body)
	}
	if status, body := s.as("guess", "/echo"); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("a wrong token: %d %s", status, body)
	}
	for range 2 { // the second time from the cache
		status, body := s.as("let-me-in", "/echo")
		var event struct {
			RequestContext struct {
				Authorizer struct{ Lambda map[string]string }
			}
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		if told := event.RequestContext.Authorizer.Lambda; told["version"] != "2.0" || told["local"] != "true" || told["name"] != "authorizer" {
			t.Errorf("the function gets %v", told)
		}
	}
	if status, body := s.as("let-me-in", "/pid"); status != 200 {
		t.Errorf("another route: %d %s", status, body)
	}
	s.onConsole("asked about GET /pid by let-me-in")
	if asked := strings.Count(s.console.String(), "authorizer: asked about GET /echo by let-me-in\n"); asked != 1 {
		t.Errorf("asked %d times about one identity: %s", asked, s.console)
	}
}

func TestRouteKeyThatTellsNoRoutesApartIsPointedOut(t *testing.T) {
	t.Parallel()
	const warning = "$context.routeKey is $default for every request"
	keyed := []string{"-authorizer", authorizer, "-identity", "$request.header.Authorization,$context.routeKey"}
	for _, tt := range []struct {
		args    []string
		warning bool
	}{
		{args: []string{"-ttl", "5s", echo}, warning: true},
		{args: []string{"-ttl", "5s", "-route", "GET /echo", echo}},
		{args: []string{echo}}, // not kept
	} {
		s := serveLocal(t, slices.Concat(keyed, tt.args)...)
		s.onConsole("authorizer: init of ") // what comes after the warning
		if got := strings.Contains(s.console.String(), warning); got != tt.warning {
			t.Errorf("%q: %s", tt.args, s.console)
		}
	}
}

func TestFormatsOfAnAuthorizer(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"simple": "2.0", "policy": "2.0", "1.0": "1.0"} {
		s := serveLocal(t, "-authorizer", authorizer, "-authorizer-format", format, echo)
		status, body := s.as("let-me-in", "/echo")
		if status != 200 || !strings.Contains(body, `"authorizer":{"lambda":{"local":"true","name":"authorizer","version":"`+want+`"}}`) {
			t.Errorf("%s: %d %s", format, status, body)
		}
		if status, body := s.as("guess", "/echo"); status != 403 {
			t.Errorf("%s: %d %s", format, status, body)
		}
		// Without identity sources it is asked about every request.
		if status, _ := s.get("/echo"); status != 403 {
			t.Errorf("%s, no token: %d", format, status)
		}
	}
}

func TestFailedAuthorizerIsReportedAndReplaced(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-authorizer", authorizer, echo)
	for _, tt := range []struct {
		token   string
		status  int
		body    string
		console string
	}{
		{token: "unauthorized", status: 401, body: `{"message":"Unauthorized"}`, console: "by unauthorized"},
		{token: "error", status: 500, body: `{"message":"Internal Server Error"}`, console: "failed: errorString: no database"},
		{token: "exit", status: 500, body: `{"message":"Internal Server Error"}`, console: "authorizer: RequestId: "},
		{token: "let-me-in", status: 200, console: "by let-me-in"},
	} {
		if status, body := s.as(tt.token, "/echo"); status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s: %d %s", tt.token, status, body)
		}
		s.onConsole(tt.console)
	}
	s.onConsole("guard/local: authorizer's invocation ")
	s.onConsole("exit status 7")
}

func TestAuthorizerThatDoesNotInitialiseIsTriedPerRequest(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-env", writeFile(t, "env", "AUTHORIZER_INIT=exit\n"), "-authorizer", authorizer, echo)
	s.onConsole("authorizer did not start, and will be tried with each request: Runtime.ExitError")
	if status, body := s.as("let-me-in", "/echo"); status != 500 {
		t.Errorf("%d %s", status, body)
	}
	eventually(t, "it was tried again", func() bool {
		return strings.Count(s.console.String(), "authorizer: Init failed: Runtime exited with error: exit status 3") == 2
	})
}

func TestEndLeavesNothingOfAnAuthorizerBehind(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-authorizer", authorizerPackage, echoPackage)
	s.onConsole("authorizer: init of ")
	_, rest, _ := strings.Cut(s.console.String(), "authorizer: init of ")
	authorizer, _, _ := strings.Cut(rest, "\n")
	_, function := s.as("let-me-in", "/pid")
	if status := s.end(os.Interrupt); status != 0 {
		t.Errorf("exit status %d", status)
	}
	for _, pid := range []string{authorizer, function} {
		eventually(t, "process "+pid+" is gone", func() bool { return gone(pid) })
	}
	if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestEndDuringAnAuthorizersInitIsAtOnce(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "-env", writeFile(t, "env", "AUTHORIZER_INIT=hang\n"), "-authorizer", authorizer, echo)
	s.onConsole("authorizer: init of ")
	if status := s.end(os.Interrupt); status != 0 {
		t.Errorf("exit status %d", status)
	}
	for line := range s.lines {
		t.Errorf("it prints %s", line)
	}
}

func TestAuthorizerThatCannotRunExitsWith1(t *testing.T) {
	for arg, want := range map[string]string{
		"./testdata/broken":                  "testdata/broken/main.go:3:15: undefined: nothing",
		"./testdata/missing":                 "testdata/missing",
		writeFile(t, "bootstrap", "no code"): "neither a package nor a file that can be run",
	} {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		status, stdout, stderr := runLocal(t, "", "-authorizer", arg, echo)
		if status != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d\n%s\n%s", arg, status, stdout, stderr)
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%s: left in the temporary folder: %v", arg, left)
		}
	}
	// The function does not build, and the authorizer that did is not left behind.
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if status, _, _ := runLocal(t, "", "-authorizer", authorizer, "./testdata/broken"); status != 1 {
		t.Errorf("status %d", status)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

func TestWrongCommandLineOfAnAuthorizerExitsWith2(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"-identity needs -authorizer":           {"-identity", "$context.routeKey"},
		"-ttl needs -authorizer":                {"-ttl", "5s"},
		"-authorizer-format needs -authorizer":  {"-authorizer-format", "simple"},
		`-authorizer-format "2.0" is none of`:   {"-authorizer", "b", "-authorizer-format", "2.0"},
		"-ttl needs -identity":                  {"-authorizer", "b", "-ttl", "5s"},
		"TTL of 2h0m0s is not":                  {"-authorizer", "b", "-identity", "$context.routeKey", "-ttl", "2h"},
		`identity source "Authorization" is`:    {"-authorizer", "b", "-identity", "Authorization"},
		`identity source "" is none`:            {"-authorizer", "b", "-identity", "$context.routeKey,"},
		`"$context.rout": this API has no such`: {"-authorizer", "b", "-identity", "$context.rout"},
		"is listed twice":                       {"-authorizer", "b", "-identity", "$context.path,$context.path"},
		"-event invokes one function alone":     {"-authorizer", "b", "-event", "e.json"},
	} {
		status, stdout, stderr := runLocal(t, "", slices.Concat(args, []string{"a"})...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d\n%s\n%s", args, status, stdout, stderr)
		}
	}
}
