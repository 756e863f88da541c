package compare

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// node is a process that invokes the handlers of middy/bench.mjs.
type node struct {
	requests *json.Encoder
	answers  *bufio.Reader
}

// startNode starts the process, which ends with the benchmark. Without Node or
// without the packages it reports why instead.
func startNode(b *testing.B) (n *node, missing string) {
	b.Helper()
	folder := os.Getenv("LAMBDARMOR_MIDDY")
	if folder == "" {
		return nil, "LAMBDARMOR_MIDDY names no folder with middy: run make bench"
	}
	if _, err := os.Stat(filepath.Join(folder, "installed")); err != nil {
		return nil, "middy is not installed: npm ci has failed"
	}
	program, err := exec.LookPath("node")
	if err != nil {
		return nil, err.Error()
	}
	schema, err := filepath.Abs("testdata/order.schema.json")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, filepath.Join(folder, "bench.mjs"), schema)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close() // the end of its requests is the end of the process
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return &node{requests: json.NewEncoder(in), answers: bufio.NewReader(out)}, ""
}

// invoke has a handler invoked n times, and returns the nanoseconds that these
// took together, and the last answer.
func (n *node) invoke(b *testing.B, handler string, payload []byte, times int) (ns float64, answer []byte) {
	b.Helper()
	request := struct {
		Handler string `json:"handler"`
		Payload string `json:"payload"`
		N       int    `json:"n"`
	}{Handler: handler, Payload: string(payload), N: times}
	if err := n.requests.Encode(request); err != nil {
		b.Fatal(err)
	}
	line, err := n.answers.ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	var reply struct {
		NS     float64 `json:"ns"`
		Answer string  `json:"answer"`
	}
	if err := json.Unmarshal(line, &reply); err != nil {
		b.Fatal(err)
	}
	return reply.NS, []byte(reply.Answer)
}

// benchmarkNode reports what Node measured itself: the pipe between the
// processes does not count.
func benchmarkNode(b *testing.B, n *node, handler string, payload []byte) {
	ns, _ := n.invoke(b, handler, payload, b.N)
	b.ReportMetric(ns/float64(b.N), "ns/op")
}
