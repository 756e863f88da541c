package powertoolstest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// call is what testdata/function.py takes for a call.
type call struct {
	Key        string          `json:"key"`
	Validation string          `json:"validation,omitempty"`
	Prefix     string          `json:"prefix"`
	Event      json.RawMessage `json:"event"`
	Result     json.RawMessage `json:"result,omitempty"`
	Record     bool            `json:"record,omitempty"`
	SortKey    string          `json:"sort_key,omitempty"`
	Fail       bool            `json:"fail,omitempty"`
	Wait       bool            `json:"wait,omitempty"`
	Remaining  *int            `json:"remaining"` // milliseconds; nil is not known
}

// outcome is what it answers.
type outcome struct {
	Running bool            `json:"running"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Text    string          `json:"text"`
	Ran     int             `json:"ran"`
}

// python is a process that runs a script of testdata.
type python struct {
	t      *testing.T
	in     io.Writer
	out    *bufio.Reader
	stderr *bytes.Buffer
}

// functionName is that of the Python function.
const functionName = "orders"

// run starts a script. It ends with its input, which the end of the test
// closes, and is killed where that is not enough.
func run(t *testing.T, script string, args ...string) *python {
	t.Helper()
	interpreter := testserver.Python(t)
	cmd := exec.Command(interpreter, append([]string{"-I", filepath.Join("testdata", script)}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "POWERTOOLS_SERVICE_NAME=test", "AWS_LAMBDA_FUNCTION_NAME=" + functionName, "PYTHONDONTWRITEBYTECODE=1"}
	p := &python{t: t, stderr: new(bytes.Buffer)}
	cmd.Stderr = p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, p.out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, p.stderr)
		}
		stuck.Stop()
	})
	return p
}

// send gives the process a line.
func (p *python) send(line []byte) {
	p.t.Helper()
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
}

// line is the next one that it says.
func (p *python) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%v, after %q", err, line)
	}
	return line[:len(line)-1]
}

// start calls the function and gives the first thing that it says.
func (p *python) start(c call) outcome {
	p.t.Helper()
	line, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(line)
	return p.outcome()
}

func (p *python) outcome() outcome {
	p.t.Helper()
	var o outcome
	line := p.line()
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		p.t.Fatalf("%v in %s", err, line)
	}
	return o
}

// end lets a handler that waits go on.
func (p *python) end() outcome {
	p.t.Helper()
	p.send(nil)
	return p.outcome()
}
