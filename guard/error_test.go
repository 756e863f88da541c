package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

func TestErrorf(t *testing.T) {
	inner := &guard.Error{Kind: guard.Conflict, Detail: "inner detail", Err: errors.New("inner cause")}
	for _, tc := range []struct {
		rule   string
		got    *guard.Error
		detail string
		causes []error
	}{
		{rule: "text alone", got: guard.Errorf(guard.Invalid, "c", "100 % sure"), detail: "100 % sure"},
		{
			rule:   "values are formatted",
			got:    guard.Errorf(guard.Invalid, "c", "no %s in %q, %d", "a", "b", 3),
			detail: `no a in "b", 3`,
		},
		{
			rule:   "an error shows nothing",
			got:    guard.Errorf(guard.Invalid, "c", "could not read: %v", io.EOF),
			detail: "could not read",
			causes: []error{io.EOF},
		},
		{
			rule:   "nor with %w",
			got:    guard.Errorf(guard.Invalid, "c", "could not read: %w", io.EOF),
			detail: "could not read",
			causes: []error{io.EOF},
		},
		{
			rule:   "nor in the middle",
			got:    guard.Errorf(guard.Invalid, "c", "%v: try %d", io.EOF, 2),
			detail: ": try 2",
			causes: []error{io.EOF},
		},
		{
			rule:   "an Error shows its detail",
			got:    guard.Errorf(guard.Invalid, "c", "outer: %v", fmt.Errorf("x: %w", inner)),
			detail: "outer: inner detail",
			causes: []error{inner},
		},
		{
			rule:   "an error that has no verb is a cause alone",
			got:    guard.Errorf(guard.Invalid, "c", "", io.EOF),
			causes: []error{io.EOF},
		},
		{
			rule:   "an Error, too",
			got:    guard.Errorf(guard.Invalid, "c", "Not now.", inner),
			detail: "Not now.",
			causes: []error{inner},
		},
		{
			rule:   "beside one that has",
			got:    guard.Errorf(guard.Invalid, "c", "outer: %w", inner, io.EOF),
			detail: "outer: inner detail",
			causes: []error{inner, io.EOF},
		},
		{
			rule:   "several are all causes",
			got:    guard.Errorf(guard.Invalid, "c", "%w %w", io.EOF, inner),
			detail: " inner detail",
			causes: []error{io.EOF, inner},
		},
	} {
		if tc.got.Detail != tc.detail || tc.got.Kind != guard.Invalid || tc.got.Code != "c" {
			t.Errorf("%s: %+v, want detail %q", tc.rule, tc.got, tc.detail)
		}
		if len(tc.causes) == 0 && tc.got.Err != nil {
			t.Errorf("%s: cause %v", tc.rule, tc.got.Err)
		}
		for _, cause := range tc.causes {
			if !errors.Is(tc.got, cause) {
				t.Errorf("%s: %v is not among the causes", tc.rule, cause)
			}
		}
	}
}

func TestErrorIsForTheOperator(t *testing.T) {
	for want, e := range map[string]*guard.Error{
		"internal":                  {},
		"not_found: No such order.": {Kind: guard.NotFound, Detail: "No such order."},
		"c: EOF":                    {Code: "c", Err: io.EOF},
		"c: Detail.: EOF":           {Code: "c", Detail: "Detail.", Err: io.EOF},
		"guard: a nil *Error returned as an error": nil,
	} {
		if got := e.Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPublicNamesEveryError(t *testing.T) {
	cause := errors.New("cause")
	full := &guard.Error{Kind: guard.NotFound, Code: "gone", Detail: "d"}
	bare := &guard.Error{Kind: guard.Forbidden, Err: cause}
	for _, tc := range []struct {
		err  error
		kind guard.Kind
		code string
	}{
		{err: fmt.Errorf("x: %w", full), kind: guard.NotFound, code: "gone"},
		{err: bare, kind: guard.Forbidden, code: "forbidden"},
		{err: cause, kind: guard.Internal, code: "internal"},
		{err: fmt.Errorf("x: %w", context.DeadlineExceeded), kind: guard.Timeout, code: "timeout"},
		{err: context.Canceled, kind: guard.Internal, code: "internal"},
		{kind: guard.Internal, code: "internal"},
		{err: (*guard.Error)(nil), kind: guard.Internal, code: "internal"},
	} {
		if e := guard.Public(tc.err); e == nil || e.Kind != tc.kind || e.Code != tc.code {
			t.Errorf("%v: %+v, want %s %s", tc.err, e, tc.kind, tc.code)
		}
	}
	if guard.Public(full) != full {
		t.Error("a complete Error was copied")
	}
	if bare.Code != "" {
		t.Error("the handler's own Error was changed")
	}
	if e := guard.Public(cause); !errors.Is(e, cause) {
		t.Error("the cause is lost")
	}
}
