package recursion_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
)

// A function that calls its own API ends.
func TestALoopOverHTTPEnds(t *testing.T) {
	var url string
	var seen []int
	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))}
	fn := httpapi.Func(func(ctx context.Context, _ struct{}) (int, error) {
		seen = append(seen, recursion.Hops(ctx))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{}`))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = guard.Errorf(guard.Unprocessable, "inner", "%s", body)
		}
		return len(seen), err
	})
	h := guard.Wrap(fn, httpapi.Default(logging.New(io.Discard)), recursion.Limit(6))
	api, err := gateway.NewHTTPAPI(guardtest.NewInProcess(h, guardtest.Config{}), gateway.HTTPAPIConfig{Routes: []string{"POST /"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	defer server.Close()
	url = server.URL + "/"
	resp, err := client.Post(url, "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || len(seen) != 6 || seen[5] != 6 || resp.StatusCode != 422 || !strings.Contains(string(body), "loop") {
		t.Errorf("got invocations %v, %v, %d and %s, want 6 and a 422 for the loop", seen, err, resp.StatusCode, body)
	}
}

func TestARequestCarriesTheCounter(t *testing.T) {
	full := strings.Repeat("a=b,", 63) + "a=b"
	for _, c := range []struct {
		name    string
		hops    int
		baggage []string
		header  string
		want    string
	}{
		{name: "no baggage", hops: 3, header: "3", want: "lambdarmor.hops=3"},
		{name: "kept", hops: 3, baggage: []string{"user=alice;p=1 , x=y", "z=%20"}, header: "3", want: "user=alice;p=1,x=y,z=%20,lambdarmor.hops=3"},
		{name: "replaced", hops: 3, baggage: []string{"lambdarmor.hops=1;p=2,x=y, lambdarmor.hops =9"}, header: "3", want: "x=y,lambdarmor.hops=3"},
		{name: "empty members", hops: 3, baggage: []string{",, ,"}, header: "3", want: "lambdarmor.hops=3"},
		{name: "too many members", hops: 3, baggage: []string{full}, header: "3", want: full},
		{name: "too long", hops: 3, baggage: []string{"a=" + strings.Repeat("x", 8180)}, header: "3", want: "a=" + strings.Repeat("x", 8180)},
		{name: "no counter", hops: 0, baggage: []string{"lambdarmor.hops=1"}, header: "", want: "lambdarmor.hops=1"},
	} {
		set := func(ctx context.Context) {
			h := http.Header{"Baggage": c.baggage}
			recursion.SetHeader(ctx, h)
			if got := h.Get(recursion.Header); got != c.header {
				t.Errorf("%s: got header %q, want %q", c.name, got, c.header)
			}
			if got := strings.Join(h.Values("Baggage"), ","); got != c.want {
				t.Errorf("%s: got baggage %q, want %q", c.name, got, c.want)
			}
		}
		if c.hops == 0 {
			set(t.Context())
		} else {
			within(t, c.hops, set)
		}
	}
}
