package exampletest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A process is killed between claim and completion. While its lease lasts the
// key is held; after it, the policy decides.
func TestKilledBetweenClaimAndCompletion(t *testing.T) {
	t.Parallel()
	const timeout = 4 * time.Second
	const lease = timeout + time.Second // of skew
	for _, tc := range []struct {
		policy string
		status int
		body   string // part of the answer once the lease is over
		later  string // part of the answer to the call after it
	}{
		{policy: "rerun", status: 200, body: `{"attempt":2}`, later: `{"attempt":2}`},
		{
			policy: "refuse",
			status: 409,
			body:   `"code":"idempotency_outcome_unknown"`,
			later:  `"code":"idempotency_outcome_unknown"`,
		},
		{policy: "reconcile", status: 200, body: `{"attempt":1}`, later: `{"attempt":1}`},
	} {
		t.Run(tc.policy, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			c := connect(t)
			table := "killed-" + tc.policy
			c.makeTable(t, table)
			env := append(c.env, "IDEMPOTENCY_TABLE="+table, "POLICY="+tc.policy, "EFFECTS="+filepath.Join(t.TempDir(), "effects"))
			envFile := filepath.Join(t.TempDir(), "env")
			if err := os.WriteFile(envFile, []byte(strings.Join(env, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			url := runLocally(t, "-env", envFile,
				"-timeout", timeout.String(),
				"./internal/exampletest/testdata/effect").url

			start := time.Now()
			killed := post(t, url, "k", "{}")
			if killed.status != 502 {
				t.Fatalf("the killed attempt was answered: %d %s", killed.status, killed.body)
			}
			held := post(t, url, "k", "{}")
			if time.Since(start) < timeout && (held.status != 409 || held.header.Get("Retry-After") == "" || strings.Contains(held.body, tc.body)) {
				t.Errorf("within the lease: %d %v %s", held.status, held.header, held.body)
			}
			got := eventually(t, func() answer { return post(t, url, "k", "{}") },
				func(a answer) bool { return strings.Contains(a.body, tc.body) })
			if got.status != tc.status {
				t.Errorf("after the lease: %d %s", got.status, got.body)
			}
			if waited := time.Since(start); waited < lease {
				t.Errorf("the lease of %v was over after %v", lease, waited)
			}
			if again := post(t, url, "k", "{}"); again.status != tc.status || !strings.Contains(again.body, tc.later) {
				t.Errorf("later: %d %s", again.status, again.body)
			}
		})
	}
}
