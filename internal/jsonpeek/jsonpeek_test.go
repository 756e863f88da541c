package jsonpeek_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

func TestLookup(t *testing.T) {
	const text = ` { "a" : 1 , "b":{"c":[{"d":"x\\\"},"},2],"e":"\\"} ,"f":null,"g":"","h":-1.5e3 } `
	for _, tc := range []struct {
		path []string
		want string
	}{
		{[]string{"a"}, `1`},
		{[]string{"b", "c"}, `[{"d":"x\\\"},"},2]`},
		{[]string{"b", "e"}, `"\\"`},
		{[]string{"f"}, `null`},
		{[]string{"g"}, `""`},
		{[]string{"h"}, `-1.5e3`},
		{[]string{"missing"}, ``},
		{[]string{"a", "b"}, ``},
		{[]string{"f", "x"}, ``},
	} {
		if got := jsonpeek.Lookup([]byte(text), tc.path...); string(got) != tc.want {
			t.Errorf("%v: %s, want %s", tc.path, got, tc.want)
		}
	}
}

func TestFirst(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: ``, ` [ 1, 2]`: `1`, `[{"a":[]},1]`: `{"a":[]}`, `{}`: ``, `[`: ``, ``: ``, `["a`: `"a`,
	} {
		if got := jsonpeek.Value(jsonpeek.First([]byte(text))); string(got) != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for raw, want := range map[string]string{`"x"`: "x", `""`: "", `"`: "", `1`: "", `"x`: ""} {
		if got := jsonpeek.Text([]byte(raw)); string(got) != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// A string is looked through eight bytes at a time: whatever stands beside a
// quote that is escaped, it does not end there.
func TestAStringEndsAtItsOwnQuote(t *testing.T) {
	for c := range 256 {
		if c == '"' || c == '\\' {
			continue
		}
		for n := range 17 {
			fill := bytes.Repeat([]byte{byte(c)}, n)
			want := slices.Concat([]byte{'"'}, fill, []byte(`\"`), fill, []byte(`\\"`))
			if got := jsonpeek.Value(append(want, `,"x"`...)); !bytes.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// On JSON the members are those that a decoder finds; on anything else there
// is no panic and no end that does not come.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":"\\\""}}`, `{"a"`, `{"a":}`, `{"a":"`, `{,}`, `[1]`, `{"a":1 "b":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		jsonpeek.First(data)
		var names, values [][]byte
		for name, value := range jsonpeek.Members(data) {
			names, values = append(names, name), append(values, value)
		}
		n := 0
		for name, rest := range jsonpeek.Starts(data) {
			if value := jsonpeek.Value(rest); n < len(names) && (!bytes.Equal(name, names[n]) || !bytes.Equal(value, values[n])) {
				t.Fatalf("%s: %s, want %s: %s", name, value, names[n], values[n])
			}
			n++
		}
		if !json.Valid(data) || bytes.TrimSpace(data)[0] != '{' {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for i, name := range names {
			var key string
			if err := json.Unmarshal([]byte(`"`+string(name)+`"`), &key); err != nil {
				t.Fatalf("name %q: %v", name, err)
			}
			got[key] = values[i]
		}
		if len(got) != len(want) {
			t.Fatalf("%d members, want %d", len(got), len(want))
		}
		for key, value := range want {
			if !bytes.Equal(got[key], value) {
				t.Fatalf("%q: %s, want %s", key, got[key], value)
			}
		}
	})
}
