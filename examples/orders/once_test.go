package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func place(t *testing.T, url, key, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/orders", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return do(t, req)
}

func TestTheSameKey(t *testing.T) {
	url, _ := deploy(t, guardtest.Config{}, "POST /orders", "GET /orders/{id}")
	first := place(t, url, "k-1", goodOrder)
	if first.status != 201 || first.header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %v %s", first.status, first.header, first.body)
	}

	t.Run("and the same order is the same answer", func(t *testing.T) {
		for _, spelled := range []string{"k-1", `"k-1"`} {
			again := place(t, url, spelled, goodOrder)
			if again.status != 201 || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" ||
				again.header.Get("Location") != first.header.Get("Location") {
				t.Errorf("%s: %d %v %s", spelled, again.status, again.header, again.body)
			}
		}
	})
	t.Run("and the same order in other words is the same answer", func(t *testing.T) {
		again := place(t, url, "k-1", ` {"note":"ring twice", "items":[{"quantity":2,"sku":"KB-101"}], "customer":"c-42"}`)
		if again.status != 201 || again.body != first.body {
			t.Errorf("%d %s", again.status, again.body)
		}
	})
	t.Run("and another order is refused", func(t *testing.T) {
		other := place(t, url, "k-1", strings.Replace(goodOrder, `"quantity":2`, `"quantity":3`, 1))
		if p := other.problem(t); other.status != 422 {
			t.Errorf("%d %+v", other.status, p)
		}
	})
	t.Run("missing or malformed is refused", func(t *testing.T) {
		for _, key := range []string{"", `"`, `"half`, strings.Repeat("k", 256), "a\tb"} {
			bad := place(t, url, key, goodOrder)
			if p := bad.problem(t); bad.status != 400 {
				t.Errorf("%q: %d %+v", key, bad.status, p)
			}
		}
	})
	t.Run("is not used up by an order that breaks the rules", func(t *testing.T) {
		bad := place(t, url, "k-2", `{"customer":"c-42","items":[]}`)
		good := place(t, url, "k-2", goodOrder)
		if bad.status != 400 || good.status != 201 {
			t.Errorf("%d %s, then %d %s", bad.status, bad.body, good.status, good.body)
		}
	})
	t.Run("replays the refusal of an unknown SKU, byte for byte", func(t *testing.T) {
		unknown := `{"customer":"c-42","items":[{"sku":"XX-000","quantity":1}]}`
		one, two := place(t, url, "k-3", unknown), place(t, url, "k-3", unknown)
		if one.status != 422 || one.body != two.body || two.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%d %s, then %d %s", one.status, one.body, two.status, two.body)
		}
	})
}

// raceFor sends 64 equal requests at once: one of them places an order, and the
// others are told of it or to come again.
func raceFor(t *testing.T, url string) {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]int{}
	fresh := 0
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got := place(t, url, "race", goodOrder)
			mu.Lock()
			defer mu.Unlock()
			switch got.status {
			case 201:
				var r receipt
				if err := json.Unmarshal([]byte(got.body), &r); err != nil {
					t.Errorf("%s: %v", got.body, err)
				}
				ids[r.ID]++
				if got.header.Get("Idempotent-Replayed") == "" {
					fresh++
				}
			case 409:
				if got.header.Get("Retry-After") == "" {
					t.Errorf("no Retry-After: %v %s", got.header, got.body)
				}
			default:
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("orders %v, %d of them answered first", ids, fresh)
	}
}

func TestSixtyFourEqualRequests(t *testing.T) {
	url, _ := deploy(t, guardtest.Config{Concurrency: 64})
	raceFor(t, url)
}

func TestKeysOfDifferentCallersAndRoutesNeverMeet(t *testing.T) {
	s := newShop()
	h := api(guard.NewLogger(io.Discard), s, idempotency.NewMemoryStore())
	event := func(sub, path string) []byte {
		e := sample.HTTP("POST", path).Header("Idempotency-Key", "shared").JSON(goodOrder)
		if sub != "" {
			e = e.JWT(map[string]string{"sub": sub, "iss": "https://id.example"})
		}
		return e.Bytes()
	}
	seen := map[string]bool{}
	for _, sub := range []string{"", "alice", "bob"} {
		out, err := h.Invoke(t.Context(), event(sub, "/orders"))
		if err != nil || !strings.Contains(string(out), `"statusCode":201`) {
			t.Fatalf("%s, %v", out, err)
		}
		if seen[string(out)] {
			t.Errorf("%q got another caller's answer: %s", sub, out)
		}
		seen[string(out)] = true
	}
	if kept := len(s.orders.(*memory).orders); kept != 3 {
		t.Errorf("%d orders of 3 callers", kept)
	}
}
