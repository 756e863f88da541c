package exampletest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// shell runs what stands in a README or on a console as a reader would who
// pastes it, at another address.
func shell(t *testing.T, script, url string) string {
	t.Helper()
	for _, tool := range []string{"sh", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("install %s to run this", tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(script, "http://127.0.0.1:8080", url))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, script)
	}
	return string(out)
}

// command returns a command of a README, or of a console, with the lines that it
// goes on in.
func command(t *testing.T, text, begin string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^ *(?:authorizer: )?(` + regexp.QuoteMeta(begin) + `(?:.*\\\n)*.*)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %q in\n%s", begin, text)
	}
	return found[1]
}

// What the READMEs say to run is run, to the letter, and so is what then stands
// on the console. Each request is sent twice.
func TestTheCommandsOfTheREADMEsWork(t *testing.T) {
	t.Parallel()
	for example, c := range map[string]struct {
		onConsole string   // how the request ends that is there, and not in the README
		first     []string // in the answers
		again     []string
	}{
		"orders":     {first: []string{" 201 ", `"status":"accepted"`}, again: []string{" 201 ", "Idempotent-Replayed: true"}},
		"authorizer": {onConsole: "}]}'\n", first: []string{" 201 ", `"status":"accepted"`}, again: []string{" 201 ", "Idempotent-Replayed: true"}},
		"rates":      {first: []string{" 200 ", `{"currency":"USD","rate":"1.`}, again: []string{" 200 "}},
		"stream":     {first: []string{" 200 ", `"sequenceNumber"`}, again: []string{" 200 ", `"sequenceNumber"`}},
		"changes":    {first: []string{" 200 ", `"sequenceNumber"`}, again: []string{" 200 ", `"sequenceNumber"`}},
		"webhook":    {onConsole: "-d \"$body\"\n", first: []string{" 200 ", `{"status":"booked","entry":"msg_1"}`}, again: []string{" 200 ", "Idempotent-Replayed: true"}},
	} {
		t.Run(example, func(t *testing.T) {
			readme, err := os.ReadFile("../../examples/" + example + "/README.md")
			if err != nil {
				t.Fatal(err)
			}
			start := strings.TrimPrefix(command(t, string(readme), "go run ./guard/local "), "go run ./guard/local ")
			run := runLocally(t, strings.Fields(shell(t, `printf '%s\n' `+start, ""))...)
			text := string(readme)
			if c.onConsole != "" {
				run.console.has(t, c.onConsole)
				text = run.console.String()
			}
			request := command(t, text, "curl -i ")
			if example == "webhook" {
				request = command(t, text, "id=") + "\n" + command(t, text, "sig=") + "\n" + request
			}
			for i, want := range [][]string{c.first, c.again} {
				got := shell(t, request, run.url)
				for _, part := range want {
					if !strings.Contains(got, part) {
						t.Errorf("answer %d has no %q:\n%s", i+1, part, got)
					}
				}
			}
		})
	}
}
