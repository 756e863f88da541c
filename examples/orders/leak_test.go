package main

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// Every request brings a marker in each place that a caller can fill. None of
// them may come back in a refusal, or stand in the log.
func TestNothingThatWasSentLeaks(t *testing.T) {
	const marker = "mArKeR-7f3a"
	server, fn := deploy(t, guardtest.Config{})
	bodies := map[string]string{
		"good":         `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}],"note":"` + marker + `"}`,
		"wrong type":   `{"customer":{"` + marker + `":1},"items":"` + marker + `"}`,
		"twice":        `{"customer":"` + marker + `","customer":"` + marker + `"}`,
		"case":         `{"customer":"` + marker + `","CUSTOMER":"` + marker + `"}`,
		"unknown sku":  `{"customer":"` + marker + `","items":[{"sku":"` + marker + `","quantity":1}]}`,
		"schema":       `{"customer":"` + marker + `","items":[{"sku":"` + marker + `","quantity":-1}],"note":["` + marker + `"]}`,
		"trailing":     `{"customer":"` + marker + `"} ` + marker,
		"not JSON":     marker,
		"half":         `{"customer":"` + marker,
		"invalid":      `{"customer":"` + marker + "\xff" + `"}`,
		"too deep":     strings.Repeat("[", 70) + `"` + marker + `"`,
		"too large":    `"` + strings.Repeat(marker, 100_000) + `"`,
		"number":       `{"customer":"c-1","items":[{"sku":"KB-101","quantity":1` + strings.Repeat("0", 40) + `}],"note":"` + marker + `"}`,
		"invalid time": marker + `T00:00:00Z`,
	}
	for name, body := range bodies {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			for _, path := range []string{"/orders", "/orders/" + marker, "/" + marker} {
				contentType := "application/json"
				if name == "invalid time" {
					contentType = "text/" + marker
				}
				headers := []string{"Cookie", "session=" + marker, "Content-Type", contentType}
				for _, header := range []string{"Authorization", "X-Api-Key", "X-Custom", "Origin", "Referer", "User-Agent", "Accept", "X-Forwarded-For"} {
					headers = append(headers, header, marker)
				}
				got := server.Do(method, path+"?q="+marker, body, headers...)
				for key, values := range got.Header {
					if strings.Contains(strings.Join(values, ","), marker) {
						t.Errorf("%s %s, %s: header %s has it", method, path, name, key)
					}
				}
				if strings.Contains(got.Body, marker) {
					t.Errorf("%s %s, %s: %d %s", method, path, name, got.Status, got.Body)
				}
			}
		}
	}
	if err := fn.WaitLog(t.Context(), `"invocation"`); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(fn.Log()) {
		if strings.Contains(line, marker) {
			t.Errorf("the log has it: %s", line)
		}
	}
}
