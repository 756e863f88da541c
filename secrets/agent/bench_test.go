package agent_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// BenchmarkCache is a secret from the cache.
func BenchmarkCache(b *testing.B) {
	a := agenttest.New(b)
	a.SetSecret("payments/api-key", "hunter2")
	c := secrets.New(agent.Secrets(at(a)...))
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if s, err := c.Get(ctx, "payments/api-key"); err != nil || s.Text() == "" {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeptAlive is the same secret as most functions get it from an agent:
// over a connection that is open already. The agent does nothing but answer.
func BenchmarkKeptAlive(b *testing.B) {
	a := agenttest.New(b)
	a.SetSecret("payments/api-key", "hunter2")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodGet, a.URL()+"/secretsmanager/get?secretId=payments%2Fapi-key", nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("X-Aws-Parameters-Secrets-Token", a.Token())
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
	a := agenttest.New(b)
	a.SetSecret("payments/api-key", "hunter2")
	src := agent.Secrets(at(a)...)
	ctx, refs := context.Background(), []secrets.Ref{{Name: "payments/api-key"}}
	b.ReportAllocs()
	for b.Loop() {
		if values, err := src.Fetch(ctx, refs); err != nil || values[0].Err != nil {
			b.Fatal(err, values)
		}
	}
}
