package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
)

// beAgent makes the test binary an agent: one that does nothing but answer, in
// a process of its own as the real ones are.
const beAgent = "LAMBDARMOR_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(beAgent) == "" {
		os.Exit(m.Run())
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Aws-Parameters-Secrets-Token") == "t" {
			_, _ = io.WriteString(w, `{"ARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf","CreatedDate":"2026-01-02T03:04:05.678Z",`+
				`"Name":"key","SecretBinary":null,"SecretString":"hunter2","VersionId":"00000000-0000-4000-8000-000000000001","VersionStages":["AWSCURRENT"],"ResultMetadata":{}}`)
		}
	}))
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}

func startAgent(b *testing.B) (url string) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), beAgent+"=1")
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
		in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// BenchmarkCache is a secret from the cache.
func BenchmarkCache(b *testing.B) {
	c := secrets.New(agent.Secrets(agent.Address(startAgent(b)), token()))
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if s, err := c.Get(ctx, "payments/api-key"); err != nil || s.Text() == "" {
			b.Fatal(err)
		}
	}
}

// BenchmarkAgent is the same secret as most functions get it from an agent: over
// a connection that is open already.
func BenchmarkAgent(b *testing.B) {
	url := startAgent(b) + "/secretsmanager/get?secretId=payments%2Fapi-key"
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("X-Aws-Parameters-Secrets-Token", "t")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var found struct{ SecretString string }
		if err != nil || json.Unmarshal(body, &found) != nil || found.SecretString == "" {
			b.Fatalf("%s, %v", body, err)
		}
	}
}

// BenchmarkFetch is what a miss costs: a connection of its own, and the answer
// read strictly.
func BenchmarkFetch(b *testing.B) {
	src := agent.Secrets(agent.Address(startAgent(b)), token())
	ctx, refs := context.Background(), []secrets.Ref{{Name: "payments/api-key"}}
	b.ReportAllocs()
	for b.Loop() {
		if values, err := src.Fetch(ctx, refs); err != nil || values[0].Err != nil {
			b.Fatal(err, values)
		}
	}
}
