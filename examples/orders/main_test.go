package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// deploy runs the binary as Lambda would, behind an HTTP API with these routes.
func deploy(t *testing.T, cfg guardtest.Config, routes ...string) (*gateway.Server, *guardtest.Function) {
	t.Helper()
	cfg.Env = append(cfg.Env, "AWS_SAM_LOCAL=true")
	fn := guardtest.Start(t, binary, cfg)
	return gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: routes}), fn
}

const goodOrder = `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}],"note":"ring twice"}`

type problem struct {
	Title, Instance, Code string
	Status                int
	Errors                []struct{ Pointer string }
}

// problemOf checks that an answer is a whole problem and returns it.
func problemOf(t *testing.T, a gateway.Answer) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	if a.Header.Get("Content-Type") != "application/problem+json" || p.Status != a.Status || p.Instance == "" || p.Title == "" {
		t.Errorf("not a whole problem: %d %s %s", a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	if a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("no security headers: %v", a.Header)
	}
	return p
}

func TestAnOrderIsPlacedAndFound(t *testing.T) {
	server, _ := deploy(t, guardtest.Config{}, "POST /orders", "GET /orders/{id}")

	placed := server.Do("POST", "/orders", goodOrder, "Idempotency-Key", "k-1")
	var r receipt
	if err := json.Unmarshal([]byte(placed.Body), &r); err != nil {
		t.Fatalf("%d %s: %v", placed.Status, placed.Body, err)
	}
	if want := (money{Amount: "179.00", Currency: "EUR"}); placed.Status != 201 || r.Status != "accepted" || r.Total != want {
		t.Errorf("%d %s", placed.Status, placed.Body)
	}
	if location := placed.Header.Get("Location"); location != "/orders/"+r.ID {
		t.Errorf("Location %q of order %q", location, r.ID)
	}

	found := server.Do("GET", "/orders/"+r.ID, "")
	want := fmt.Sprintf(`{"id":%q,"customer":"c-42","items":[{"sku":"KB-101","quantity":2}],"note":"ring twice","status":"accepted","total":{"amount":"179.00","currency":"EUR"}}`, r.ID)
	if found.Status != 200 || found.Body != want {
		t.Errorf("%d %s", found.Status, found.Body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	server, fn := deploy(t, guardtest.Config{})
	for _, tc := range []struct {
		what, method, path, contentType, body string // POST /orders with JSON where it is not said
		status                                int
		code, pointers                        string
	}{
		{what: "a member in another case", body: `{"customer":"c-42","CUSTOMER":"c-1","items":[{"sku":"KB-101","quantity":2}]}`, status: 400, code: "validation_failed", pointers: "/CUSTOMER"},
		{what: "a member twice", body: `{"customer":"c-42","items":[{"sku":"KB-101","sku":"MS-200"}]}`, status: 400, code: "duplicate_member", pointers: "/items/0/sku"},
		{what: "a second value", body: goodOrder + goodOrder, status: 400, code: "trailing_data"},
		{what: "not JSON", body: `customer=c-42`, status: 400, code: "malformed_json"},
		{what: "invalid UTF-8", body: "{\"customer\":\"\xff\"}", status: 400, code: "invalid_utf8", pointers: "/customer"},
		{what: "null", body: `null`, status: 400, code: "validation_failed"},
		{what: "no body", status: 400, code: "body_missing"},
		{what: "too deep", body: strings.Repeat("[", 65) + strings.Repeat("]", 65), status: 400, code: "json_too_deep", pointers: strings.Repeat("/0", 64)},
		{what: "another content type", contentType: "text/plain", body: goodOrder, status: 415, code: "unsupported_media_type"},
		{what: "more than a MiB", body: `{"note":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413, code: "body_too_large"},
		{what: "a quantity of 0", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":0}]}`, status: 400, code: "validation_failed", pointers: "/items/0/quantity"},
		{what: "a quantity of 100", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":100}]}`, status: 400, code: "validation_failed", pointers: "/items/0/quantity"},
		{what: "half a keyboard", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1.5}]}`, status: 400, code: "validation_failed", pointers: "/items/0/quantity"},
		{what: "hardly more than 99", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":99.0000000000000000001}]}`, status: 400, code: "validation_failed", pointers: "/items/0/quantity"},
		{what: "an unknown member", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"discount":100}`, status: 400, code: "validation_failed", pointers: "/discount"},
		{what: "a SKU of another form", body: `{"customer":"c-42","items":[{"sku":"kb-101","quantity":1}]}`, status: 400, code: "validation_failed", pointers: "/items/0/sku"},
		{what: "no items", body: `{"customer":"c-42","items":[]}`, status: 400, code: "validation_failed", pointers: "/items"},
		{what: "51 items", body: `{"customer":"c-42","items":[` + strings.Repeat(`{"sku":"KB-101","quantity":1},`, 50) + `{"sku":"KB-101","quantity":1}]}`, status: 400, code: "validation_failed", pointers: "/items"},
		{what: "a long note", body: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"note":"` + strings.Repeat("é", 281) + `"}`, status: 400, code: "validation_failed", pointers: "/note"},
		{what: "everything wrong at once", body: `{"customer":"42","items":[{"sku":"KB-101"},{"sku":7,"quantity":0}],"x":1}`, status: 400, code: "validation_failed", pointers: "/items/0/quantity /items/1/quantity /items/1/sku /customer /x"},
		{what: "unknown SKUs", body: `{"customer":"c-42","items":[{"sku":"XX-000","quantity":1},{"sku":"KB-101","quantity":1},{"sku":"YY-000","quantity":1}]}`, status: 422, code: "unknown_sku", pointers: "/items/0/sku /items/2/sku"},
		{what: "an order that is not there", method: "GET", path: "/orders/none", status: 404, code: "order_not_found"},
		{what: "another path", method: "GET", path: "/nope", status: 404, code: "not_found"},
		{what: "another method", method: "DELETE", status: 405, code: "method_not_allowed"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			got := server.Do(cmp.Or(tc.method, "POST"), cmp.Or(tc.path, "/orders"), tc.body,
				"Content-Type", cmp.Or(tc.contentType, "application/json"), "Idempotency-Key", rand.Text())
			p := problemOf(t, got)
			if got.Status != tc.status || p.Code != tc.code {
				t.Errorf("%d %s, want %d %s", got.Status, got.Body, tc.status, tc.code)
			}
			var pointers []string
			for _, e := range p.Errors {
				pointers = append(pointers, e.Pointer)
			}
			if joined := strings.Join(pointers, " "); joined != tc.pointers {
				t.Errorf("pointers %q, want %q", joined, tc.pointers)
			}
			if allow := got.Header.Get("Allow"); (allow == "POST") != (tc.status == 405) {
				t.Errorf("Allow %q", allow)
			}
		})
	}
	if strings.Contains(fn.Log(), "panic") {
		t.Error(fn.Log())
	}
}

func TestManyOrdersAtOnce(t *testing.T) {
	server, _ := deploy(t, guardtest.Config{Concurrency: 64})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			placed := server.Do("POST", "/orders",
				fmt.Sprintf(`{"customer":"c-%d","items":[{"sku":"CB-300","quantity":%d}]}`, i, i+1), "Idempotency-Key", rand.Text())
			found := server.Do("GET", placed.Header.Get("Location"), "")
			var o order
			if err := json.Unmarshal([]byte(found.Body), &o); err != nil {
				t.Errorf("%s: %v", found.Body, err)
				return
			}
			if o.Customer != fmt.Sprintf("c-%d", i) || o.Total != euros(int64(i+1)*1250) {
				t.Errorf("order %d became %s", i, found.Body)
			}
		})
	}
	wg.Wait()
}

func TestNoStoreNoStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"ORDERS_TABLE":      {"AWS_SAM_LOCAL="},
		"IDEMPOTENCY_TABLE": {"AWS_SAM_LOCAL=", "ORDERS_TABLE=orders"},
	} {
		fn := guardtest.Start(t, binary, guardtest.Config{Env: env})
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started without %s", missing)
		}
		if err := fn.WaitLog(t.Context(), missing+" is not set"); err != nil {
			t.Error(err)
		}
	}
}
