package main

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func place(server *gateway.Server, key, body string) gateway.Answer {
	return server.Do("POST", "/orders", body, "Idempotency-Key", key)
}

func TestTheSameKey(t *testing.T) {
	server, _ := deploy(t, guardtest.Config{}, "POST /orders", "GET /orders/{id}")
	first := place(server, "k-1", goodOrder)
	if first.Status != 201 || first.Header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %v %s", first.Status, first.Header, first.Body)
	}

	t.Run("and the same order is the same answer", func(t *testing.T) {
		for _, spelled := range []string{"k-1", `"k-1"`} {
			again := place(server, spelled, goodOrder)
			if again.Status != 201 || again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" ||
				again.Header.Get("Location") != first.Header.Get("Location") {
				t.Errorf("%s: %d %v %s", spelled, again.Status, again.Header, again.Body)
			}
		}
	})
	t.Run("and the same order in other words is the same answer", func(t *testing.T) {
		again := place(server, "k-1", ` {"note":"ring twice", "items":[{"quantity":2,"sku":"KB-101"}], "customer":"c-42"}`)
		if again.Status != 201 || again.Body != first.Body {
			t.Errorf("%d %s", again.Status, again.Body)
		}
	})
	t.Run("and another order is refused", func(t *testing.T) {
		other := place(server, "k-1", strings.Replace(goodOrder, `"quantity":2`, `"quantity":3`, 1))
		if p := problemOf(t, other); other.Status != 422 {
			t.Errorf("%d %+v", other.Status, p)
		}
	})
	t.Run("missing or malformed is refused", func(t *testing.T) {
		for _, key := range []string{"", `"`, `"half`, strings.Repeat("k", 256), "a\tb"} {
			bad := place(server, key, goodOrder)
			if p := problemOf(t, bad); bad.Status != 400 {
				t.Errorf("%q: %d %+v", key, bad.Status, p)
			}
		}
	})
	t.Run("is not used up by an order that breaks the rules", func(t *testing.T) {
		bad := place(server, "k-2", `{"customer":"c-42","items":[]}`)
		good := place(server, "k-2", goodOrder)
		if bad.Status != 400 || good.Status != 201 {
			t.Errorf("%d %s, then %d %s", bad.Status, bad.Body, good.Status, good.Body)
		}
	})
	t.Run("replays the refusal of an unknown SKU, byte for byte", func(t *testing.T) {
		unknown := `{"customer":"c-42","items":[{"sku":"XX-000","quantity":1}]}`
		one, two := place(server, "k-3", unknown), place(server, "k-3", unknown)
		if one.Status != 422 || one.Body != two.Body || two.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%d %s, then %d %s", one.Status, one.Body, two.Status, two.Body)
		}
	})
}

// raceFor sends 64 equal requests at once: one of them places an order, and the
// others are told of it or to come again.
func raceFor(t *testing.T, server *gateway.Server) {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]int{}
	fresh := 0
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got := place(server, "race", goodOrder)
			mu.Lock()
			defer mu.Unlock()
			switch got.Status {
			case 201:
				var r receipt
				if err := json.Unmarshal([]byte(got.Body), &r); err != nil {
					t.Errorf("%s: %v", got.Body, err)
				}
				ids[r.ID]++
				if got.Header.Get("Idempotent-Replayed") == "" {
					fresh++
				}
			case 409:
				if got.Header.Get("Retry-After") == "" {
					t.Errorf("no Retry-After: %v %s", got.Header, got.Body)
				}
			default:
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("orders %v, %d of them answered first", ids, fresh)
	}
}

func TestSixtyFourEqualRequests(t *testing.T) {
	server, _ := deploy(t, guardtest.Config{Concurrency: 64})
	raceFor(t, server)
}

func TestKeysOfDifferentCallersAndRoutesNeverMeet(t *testing.T) {
	s := newShop()
	h := api(logging.New(io.Discard), s, idempotency.NewMemoryStore(), nil)
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
