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
	gateway, err := guardtest.NewHTTPAPI(fn, guardtest.HTTPAPIConfig{Routes: routes})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gateway)
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
	return answer{res.StatusCode, res.Header, string(text)}
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
	if want := (money{"179.00", "EUR"}); placed.status != 201 || r.Status != "accepted" || r.Total != want {
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
		{"a member in another case", "POST", "/orders", "application/json", `{"customer":"c-42","CUSTOMER":"c-1","items":[{"sku":"KB-101","quantity":2}]}`, 400, "validation_failed", "/CUSTOMER"},
		{"a member twice", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","sku":"MS-200"}]}`, 400, "duplicate_member", "/items/0/sku"},
		{"a second value", "POST", "/orders", "application/json", goodOrder + goodOrder, 400, "trailing_data", ""},
		{"not JSON", "POST", "/orders", "application/json", `customer=c-42`, 400, "malformed_json", ""},
		{"invalid UTF-8", "POST", "/orders", "application/json", "{\"customer\":\"\xff\"}", 400, "invalid_utf8", "/customer"},
		{"null", "POST", "/orders", "application/json", `null`, 400, "validation_failed", ""},
		{"no body", "POST", "/orders", "application/json", ``, 400, "body_missing", ""},
		{"too deep", "POST", "/orders", "application/json", strings.Repeat("[", 65) + strings.Repeat("]", 65), 400, "json_too_deep", strings.Repeat("/0", 64)},
		{"another content type", "POST", "/orders", "text/plain", goodOrder, 415, "unsupported_media_type", ""},
		{"more than a MiB", "POST", "/orders", "application/json", `{"note":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large", ""},
		{"a quantity of 0", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":0}]}`, 400, "validation_failed", "/items/0/quantity"},
		{"a quantity of 100", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":100}]}`, 400, "validation_failed", "/items/0/quantity"},
		{"half a keyboard", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1.5}]}`, 400, "validation_failed", "/items/0/quantity"},
		{"hardly more than 99", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":99.0000000000000000001}]}`, 400, "validation_failed", "/items/0/quantity"},
		{"an unknown member", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"discount":100}`, 400, "validation_failed", "/discount"},
		{"a SKU of another form", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"kb-101","quantity":1}]}`, 400, "validation_failed", "/items/0/sku"},
		{"no items", "POST", "/orders", "application/json", `{"customer":"c-42","items":[]}`, 400, "validation_failed", "/items"},
		{"51 items", "POST", "/orders", "application/json", `{"customer":"c-42","items":[` + strings.Repeat(`{"sku":"KB-101","quantity":1},`, 50) + `{"sku":"KB-101","quantity":1}]}`, 400, "validation_failed", "/items"},
		{"a long note", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"KB-101","quantity":1}],"note":"` + strings.Repeat("é", 281) + `"}`, 400, "validation_failed", "/note"},
		{"everything wrong at once", "POST", "/orders", "application/json", `{"customer":"42","items":[{"sku":"KB-101"},{"sku":7,"quantity":0}],"x":1}`, 400, "validation_failed", "/items/0/quantity /items/1/quantity /items/1/sku /customer /x"},
		{"unknown SKUs", "POST", "/orders", "application/json", `{"customer":"c-42","items":[{"sku":"XX-000","quantity":1},{"sku":"KB-101","quantity":1},{"sku":"YY-000","quantity":1}]}`, 422, "unknown_sku", "/items/0/sku /items/2/sku"},
		{"an order that is not there", "GET", "/orders/none", "", "", 404, "order_not_found", ""},
		{"another path", "GET", "/nope", "", "", 404, "not_found", ""},
		{"another method", "DELETE", "/orders", "", "", 405, "method_not_allowed", ""},
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
