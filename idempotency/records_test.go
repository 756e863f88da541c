package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

type letter struct{ id, text string }

func TestARecordIsHandledOnceForItsKey(t *testing.T) {
	runs := map[string]int{}
	failing := errors.New("no database")
	handle := idempotency.Records(idempotency.NewOperation("post", idempotency.NewMemoryStore()),
		func(l letter) (string, any) { return l.id, l.text })(func(_ context.Context, l letter) error {
		runs[l.id]++
		if l.id == "bad" && runs["bad"] == 1 {
			return failing
		}
		return nil
	})
	for _, tc := range []struct {
		what   string
		letter letter
		code   string // "" is a success
		err    error
		runs   int
	}{
		{what: "the first", letter: letter{"a", "x"}, runs: 1},
		{what: "a repeat", letter: letter{"a", "x"}, runs: 1},
		{what: "another with its key", letter: letter{"a", "y"}, code: "idempotency_key_reused", runs: 1},
		{what: "one that fails", letter: letter{"bad", "x"}, err: failing, runs: 1},
		{what: "and comes again", letter: letter{"bad", "x"}, runs: 2},
		{what: "no key", letter: letter{"", "x"}, code: "idempotency_key_missing"},
	} {
		err := handle(t.Context(), tc.letter)
		switch {
		case tc.err != nil && !errors.Is(err, tc.err),
			tc.code != "" && guard.Public(err).Code != tc.code,
			tc.err == nil && tc.code == "" && err != nil,
			runs[tc.letter.id] != tc.runs:
			t.Errorf("%s: got %v after %d runs, want %q, %v, %d", tc.what, err, runs[tc.letter.id], tc.code, tc.err, tc.runs)
		}
	}
}

func TestMisuseOfRecordsPanics(t *testing.T) {
	key := func(letter) (string, any) { return "k", nil }
	op := idempotency.NewOperation("post", idempotency.NewMemoryStore())
	for want, construct := range map[string]func(){
		"idempotency: Records of a zero Operation": func() { idempotency.Records(idempotency.Operation{}, key) },
		"idempotency: Records without a key":       func() { idempotency.Records[letter](op, nil) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}()
			construct()
		}()
	}
}
