package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "orders")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, err = guardtest.Compile(context.Background(), ".", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// deploy runs the binary as Lambda would, behind an HTTP API with the routes of
// template.yaml, or with those given.
func deploy(t *testing.T, cfg guardtest.Config, routes ...string) (url string, fn *guardtest.Function) {
	t.Helper()
	cfg.Env = append(cfg.Env, "AWS_SAM_LOCAL=true")
	fn = guardtest.Start(t, binary, cfg)
	api, err := gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{Routes: routes})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL, fn
}

const goodOrder = `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}],"note":"ring twice"}`

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, contentType, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if method == "POST" {
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	return do(t, req)
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: string(text)}
}

type problem struct {
	Type, Title, Detail, Instance, Code string
	Status                              int
	Errors                              []struct{ Pointer, Detail string }
}

// problem checks that the answer is one and gives it.
func (a answer) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	if a.header.Get("Content-Type") != "application/problem+json" || p.Status != a.status || p.Instance == "" || p.Title == "" {
		t.Errorf("not a whole problem: %d %s %s", a.status, a.header.Get("Content-Type"), a.body)
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("no security headers: %v", a.header)
	}
	return p
}

func TestAnOrderIsPlacedAndFound(t *testing.T) {
	url, _ := deploy(t, guardtest.Config{}, "POST /orders", "GET /orders/{id}")

	placed := send(t, "POST", url+"/orders", "application/json", goodOrder)
	var r receipt
	if err := json.Unmarshal([]byte(placed.body), &r); err != nil {
		t.Fatalf("%d %s: %v", placed.status, placed.body, err)
	}
	if want := (money{Amount: "179.00", Currency: "EUR"}); placed.status != 201 || r.Status != "accepted" || r.Total != want {
		t.Errorf("%d %s", placed.status, placed.body)
	}
	if location := placed.header.Get("Location"); location != "/orders/"+r.ID {
		t.Errorf("Location %q of order %q", location, r.ID)
	}

	found := send(t, "GET", url+"/orders/"+r.ID, "", "")
	want := fmt.Sprintf(`{"id":%q,"customer":"c-42","items":[{"sku":"KB-101","quantity":2}],"note":"ring twice","status":"accepted","total":{"amount":"179.00","currency":"EUR"}}`, r.ID)
	if found.status != 200 || found.body != want {
		t.Errorf("%d %s", found.status, found.body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	url, fn := deploy(t, guardtest.Config{})
	for _, tc := range []struct {
		what, method, path, contentType, body string
		status                                int
		code                                  string
		pointers                              string
	}{
		{
			what:        "a member in another case",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","CUSTOMER":"c-1","items":[{"sku":"KB-101","quantity":2}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/CUSTOMER",
		},
		{
			what:        "a member twice",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","sku":"MS-200"}]}`,
			status:      400,
			code:        "duplicate_member",
			pointers:    "/items/0/sku",
		},
		{
			what:        "a second value",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        goodOrder + goodOrder,
			status:      400,
			code:        "trailing_data",
		},
		{
			what:        "not JSON",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `customer=c-42`,
			status:      400,
			code:        "malformed_json",
		},
		{
			what:        "invalid UTF-8",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        "{\"customer\":\"\xff\"}",
			status:      400,
			code:        "invalid_utf8",
			pointers:    "/customer",
		},
		{
			what:        "null",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `null`,
			status:      400,
			code:        "validation_failed",
		},
		{
			what:        "no body",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			status:      400,
			code:        "body_missing",
		},
		{
			what:        "too deep",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        strings.Repeat("[", 65) + strings.Repeat("]", 65),
			status:      400,
			code:        "json_too_deep",
			pointers:    strings.Repeat("/0", 64),
		},
		{
			what:        "another content type",
			method:      "POST",
			path:        "/orders",
			contentType: "text/plain",
			body:        goodOrder,
			status:      415,
			code:        "unsupported_media_type",
		},
		{
			what:        "more than a MiB",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"note":"` + strings.Repeat("x", 1<<20) + `"}`,
			status:      413,
			code:        "body_too_large",
		},
		{
			what:        "a quantity of 0",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":0}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/quantity",
		},
		{
			what:        "a quantity of 100",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":100}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/quantity",
		},
		{
			what:        "half a keyboard",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1.5}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/quantity",
		},
		{
			what:        "hardly more than 99",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":99.0000000000000000001}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/quantity",
		},
		{
			what:        "an unknown member",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"discount":100}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/discount",
		},
		{
			what:        "a SKU of another form",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"kb-101","quantity":1}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/sku",
		},
		{
			what:        "no items",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items",
		},
		{
			what:        "51 items",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[` + strings.Repeat(`{"sku":"KB-101","quantity":1},`, 50) + `{"sku":"KB-101","quantity":1}]}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items",
		},
		{
			what:        "a long note",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"note":"` + strings.Repeat("é", 281) + `"}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/note",
		},
		{
			what:        "everything wrong at once",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"42","items":[{"sku":"KB-101"},{"sku":7,"quantity":0}],"x":1}`,
			status:      400,
			code:        "validation_failed",
			pointers:    "/items/0/quantity /items/1/quantity /items/1/sku /customer /x",
		},
		{
			what:        "unknown SKUs",
			method:      "POST",
			path:        "/orders",
			contentType: "application/json",
			body:        `{"customer":"c-42","items":[{"sku":"XX-000","quantity":1},{"sku":"KB-101","quantity":1},{"sku":"YY-000","quantity":1}]}`,
			status:      422,
			code:        "unknown_sku",
			pointers:    "/items/0/sku /items/2/sku",
		},
		{
			what:   "an order that is not there",
			method: "GET",
			path:   "/orders/none",
			status: 404,
			code:   "order_not_found",
		},
		{
			what:   "another path",
			method: "GET",
			path:   "/nope",
			status: 404,
			code:   "not_found",
		},
		{
			what:   "another method",
			method: "DELETE",
			path:   "/orders",
			status: 405,
			code:   "method_not_allowed",
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			got := send(t, tc.method, url+tc.path, tc.contentType, tc.body)
			p := got.problem(t)
			if got.status != tc.status || tc.code != "" && p.Code != tc.code {
				t.Errorf("%d %s, want %d %s", got.status, got.body, tc.status, tc.code)
			}
			var pointers []string
			for _, e := range p.Errors {
				pointers = append(pointers, e.Pointer)
			}
			if joined := strings.Join(pointers, " "); joined != tc.pointers {
				t.Errorf("pointers %q, want %q", joined, tc.pointers)
			}
			if allow := got.header.Get("Allow"); (allow == "POST") != (tc.status == 405) {
				t.Errorf("Allow %q", allow)
			}
		})
	}
	if strings.Contains(fn.Log(), "panic") {
		t.Error(fn.Log())
	}
}

func TestManyOrdersAtOnce(t *testing.T) {
	url, _ := deploy(t, guardtest.Config{Concurrency: 64})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			placed := send(t, "POST", url+"/orders", "application/json",
				fmt.Sprintf(`{"customer":"c-%d","items":[{"sku":"CB-300","quantity":%d}]}`, i, i+1))
			found := send(t, "GET", url+placed.header.Get("Location"), "", "")
			var o order
			if err := json.Unmarshal([]byte(found.body), &o); err != nil {
				t.Errorf("%s: %v", found.body, err)
				return
			}
			if o.Customer != fmt.Sprintf("c-%d", i) || o.Total != euros(int64(i+1)*1250) {
				t.Errorf("order %d became %s", i, found.body)
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
