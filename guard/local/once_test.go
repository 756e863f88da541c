//go:build unix

package main

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestOneEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event string
		timeout     string
		status      int
		stdout      string
		stderr      string
	}{
		{name: "an answer", event: `{"do":"echo"}`, timeout: "29s", stdout: "{\"do\":\"echo\"}\n", stderr: "init of"},
		{
			name:    "an error",
			event:   `{"do":"typed error","text":"sold out"}`,
			timeout: "29s",
			status:  1,
			stdout:  "{\"errorMessage\":\"sold out\",\"errorType\":\"no_stock\"}\n",
		},
		{
			name:    "an exit",
			event:   `{"do":"exit"}`,
			timeout: "29s",
			status:  1,
			stdout:  `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `,
			stderr:  "exit status 7",
		},
		{
			name:    "a timeout",
			event:   `{"do":"overrun"}`,
			timeout: "500ms",
			status:  1,
			stdout:  `{"errorType":"Sandbox.Timedout","errorMessage":"`,
			stderr:  "Task timed out after 0.50 seconds",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "event.json", tt.event)
			for arg, stdin := range map[string]string{file: "", "-": tt.event} {
				status, stdout, stderr := runLocal(t, stdin, "-timeout", tt.timeout, "-event", arg, echo)
				if status != tt.status || !strings.HasPrefix(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("-event %s: status %d\n%s\n%s", arg, status, stdout, stderr)
				}
			}
		})
	}
}

func TestWhatCannotRunExitsWith1(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name   string
		args   []string
		stderr string
	}{
		{
			name:   "a package that does not build",
			args:   []string{"./testdata/broken"},
			stderr: "testdata/broken/main.go:3:15: undefined: nothing",
		},
		{name: "a package that is not there", args: []string{"./testdata/missing"}, stderr: "testdata/missing"},
		{name: "a package that is no command", args: []string{"../guardtest"}, stderr: "no main packages"},
		{
			name:   "a file that cannot be run",
			args:   []string{writeFile(t, "bootstrap", "")},
			stderr: "neither a package nor a file that can be run",
		},
		{name: "an event that is not there", args: []string{"-event", "missing.json", echo}, stderr: "missing.json"},
		{name: "an address that is taken", args: []string{"-addr", taken.Addr().String(), echo}, stderr: "address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			status, stdout, stderr := runLocal(t, "", tt.args...)
			if status != 1 || stdout != "" || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("left in the temporary folder: %v", left)
			}
		})
	}
}

func TestWrongCommandLineExitsWith2(t *testing.T) {
	t.Parallel()
	env := writeFile(t, "env", "A=1\n# fine\nno value\n")
	for want, args := range map[string][]string{
		"one package or bootstrap is needed":   {},
		"one package or bootstrap is needed, ": {"a", "b"},
		"flag provided but not defined: -frob": {"-frob", "a"},
		`"/orders" is not`:                     {"-route", "/orders", "a"},
		"match the same requests":              {"-route", "GET /a/{x}", "-route", "GET /a/{y}", "a"},
		`payload format "3"`:                   {"-format", "3", "a"},
		"-timeout 0s is not":                   {"-timeout", "0s", "a"},
		"-timeout 16m0s is not":                {"-timeout", "16m", "a"},
		"-memory 64 is not":                    {"-memory", "64", "a"},
		"-concurrency 0 is":                    {"-concurrency", "0", "a"},
		"-instances -1 is":                     {"-instances", "-1", "a"},
		env + ":3: not NAME=value":             {"-env", env, "a"},
		"missing.env":                          {"-env", "missing.env", "a"},
	} {
		status, stdout, stderr := runLocal(t, "", args...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d\n%s\n%s", args, status, stdout, stderr)
		}
	}
	if status, _, stderr := runLocal(t, "", "-h"); status != 0 || !strings.Contains(stderr, "-instances") {
		t.Errorf("-h: status %d\n%s", status, stderr)
	}
}

// As where the command itself was built elsewhere.
func TestWithoutTheGoCommandAPackageIsNotBuilt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, arg := range []string{echoPackage, "example.com/function"} {
		status, stdout, stderr := runLocal(t, "", arg)
		if status != 1 || stdout != "" || !strings.Contains(stderr, "building "+arg+" needs the go command: ") {
			t.Errorf("%s: status %d\n%s\n%s", arg, status, stdout, stderr)
		}
	}
	if status, _, stderr := runLocal(t, `{"do":"echo"}`, "-event", "-", echo); status != 0 {
		t.Errorf("what is built needs it as well: status %d\n%s", status, stderr)
	}
}

func TestEndBeforeTheEventIsReadIsAtOnce(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "-event", "-", echoPackage)
	if _, err := s.stdin.Write(make([]byte, 1<<20)); err != nil { // more than a pipe holds: it is being read
		t.Fatal(err)
	}
	if status := s.end(os.Interrupt); status != 1 {
		t.Errorf("exit status %d", status)
	}
	if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestEnvFileHasNamesAndValues(t *testing.T) {
	for _, line := range []string{"NAME", "=value", "A NAME=value", "NAME=a\x00b"} {
		if env, err := readEnvFile(writeFile(t, "env", line+"\n")); err == nil || !strings.Contains(err.Error(), ":1: not NAME=value") {
			t.Errorf("%q: %q, %v, want an error with the line", line, env, err)
		}
	}
	env, err := readEnvFile(writeFile(t, "env", "# no\n\nNAME =a=\"b\"\r\nEMPTY=\n"))
	if want := []string{`NAME=a="b"`, "EMPTY="}; err != nil || !slices.Equal(env, want) {
		t.Errorf("%q, %v, want %q", env, err, want)
	}
}
