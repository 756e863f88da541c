package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// patient is more than anything takes that works, on a machine that is slow or
// stands still for a while, too.
const patient = 2 * time.Minute

type echoHandler struct{}

func (echoHandler) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// leaves has every scalar and every empty object or array of a text.
func leaves(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(pointer+"/"+name, value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s/%d", pointer, i), value)
			}
		default:
			found[pointer] = v
		}
	}
	walk("", root)
	return found
}

// members are all member names of an event but those of headers, query and path.
func members(t *testing.T, text []byte) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for pointer := range leaves(t, text) {
		for _, open := range []string{"/headers", "/multiValueHeaders", "/queryStringParameters", "/multiValueQueryStringParameters", "/pathParameters", "/cookies"} {
			if strings.HasPrefix(pointer, open+"/") {
				pointer = open
			}
		}
		found[pointer] = true
	}
	return found
}
