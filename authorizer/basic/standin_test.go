package basic

import (
	"encoding/base64"
	"maps"
	"testing"
)

// counted is a hash that takes no time, and counts how often it is computed.
func counted(cost string, count map[string]int) hash {
	return hash{cost: cost, matches: func(string) bool { count[cost]++; return false }}
}

// bcrypt takes no memory that a test could measure, so its hashes are counted.
func TestAWrongPasswordIsHashedOnceForEachCost(t *testing.T) {
	count := map[string]int{}
	users := &table{users: map[string]entry{}}
	for name, cost := range map[string]string{"a": "bcrypt 10", "b": "argon2id", "c": "bcrypt 12", "d": "bcrypt 10"} {
		users.put(name, entry{hash: counted(cost, count)})
	}
	want := map[string]int{"bcrypt 10": 1, "argon2id": 1, "bcrypt 12": 1}
	for _, name := range []string{"a", "b", "c", "d", "nobody", ""} {
		clear(count)
		header := "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":wrong"))
		if _, err := users.Verify(t.Context(), header); err == nil {
			t.Errorf("%q: got a grant, want a refusal", name)
		}
		if !maps.Equal(count, want) {
			t.Errorf("%q: hashed %v, want %v", name, count, want)
		}
	}
}

func TestHashesOfTheSameParametersCostTheSame(t *testing.T) {
	for _, tt := range []struct {
		hash, want string
	}{
		{hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", want: "argon2id m=19456,t=2,p=1"},
		{hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA", want: "argon2id m=19456,t=2,p=1"},
		{hash: "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", want: "bcrypt 10"},
		{hash: "$2a$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", want: "bcrypt 12"},
	} {
		h, err := parseHash(tt.hash)
		if err != nil {
			t.Fatalf("%s: %v", tt.hash, err)
		}
		if got := h.cost; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.hash, got, tt.want)
		}
	}
}
