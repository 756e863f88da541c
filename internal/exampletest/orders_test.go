package exampletest_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

const order = `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`

// Sixty-four equal requests over four processes that share nothing but the
// tables place one order.
func TestOrdersOnceAcrossProcesses(t *testing.T) {
	t.Parallel()
	c := connect(t)
	c.makeTable(t, "orders")
	c.makeTable(t, "keys")
	fn := guardtest.Start(t, built.of(t, "examples/orders"), guardtest.Config{
		Instances: 4, Concurrency: 16, Memory: 512, Timeout: patient, InitTimeout: patient, Env: append(c.env, "ORDERS_TABLE=orders", "IDEMPOTENCY_TABLE=keys"),
	})
	server := gateway.Start(t, fn, gateway.HTTPAPIConfig{Timeout: patient, Routes: []string{"POST /orders", "GET /orders/{id}"}})

	var mu sync.Mutex
	fresh, ids := 0, map[string]bool{}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got := post(t, server.URL+"/orders", "race", order)
			mu.Lock()
			defer mu.Unlock()
			switch got.status {
			case 201:
				var r struct{ ID string }
				if err := json.Unmarshal([]byte(got.body), &r); err != nil {
					t.Error(err)
				}
				ids[r.ID] = true
				if got.header.Get("Idempotent-Replayed") == "" {
					fresh++
				}
			case 409:
			default:
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || fresh != 1 || len(c.items(t, "orders")) != 1 || len(c.items(t, "keys")) != 1 {
		t.Errorf("ids %v, first answers %d, orders %d, keys %d", ids, fresh, len(c.items(t, "orders")), len(c.items(t, "keys")))
	}
	again := post(t, server.URL+"/orders", "race", order)
	if again.status != 201 || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %v %s", again.status, again.header, again.body)
	}
}
