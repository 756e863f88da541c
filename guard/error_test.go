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
		{"text alone", guard.Errorf(guard.Invalid, "c", "100 % sure"), "100 % sure", nil},
		{"values are formatted", guard.Errorf(guard.Invalid, "c", "no %s in %q, %d", "a", "b", 3), `no a in "b", 3`, nil},
		{"an error shows nothing", guard.Errorf(guard.Invalid, "c", "could not read: %v", io.EOF), "could not read", []error{io.EOF}},
		{"nor with %w", guard.Errorf(guard.Invalid, "c", "could not read: %w", io.EOF), "could not read", []error{io.EOF}},
		{"nor in the middle", guard.Errorf(guard.Invalid, "c", "%v: try %d", io.EOF, 2), ": try 2", []error{io.EOF}},
		{"an Error shows its detail", guard.Errorf(guard.Invalid, "c", "outer: %v", fmt.Errorf("x: %w", inner)), "outer: inner detail", []error{inner}},
		{"an error that has no verb is a cause alone", guard.Errorf(guard.Invalid, "c", "", io.EOF), "", []error{io.EOF}},
		{"an Error, too", guard.Errorf(guard.Invalid, "c", "Not now.", inner), "Not now.", []error{inner}},
		{"beside one that has", guard.Errorf(guard.Invalid, "c", "outer: %w", inner, io.EOF), "outer: inner detail", []error{inner, io.EOF}},
		{"several are all causes", guard.Errorf(guard.Invalid, "c", "%w %w", io.EOF, inner), " inner detail", []error{io.EOF, inner}},
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
		{fmt.Errorf("x: %w", full), guard.NotFound, "gone"},
		{bare, guard.Forbidden, "forbidden"},
		{cause, guard.Internal, "internal"},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), guard.Timeout, "timeout"},
		{context.Canceled, guard.Internal, "internal"},
		{nil, guard.Internal, "internal"},
		{(*guard.Error)(nil), guard.Internal, "internal"},
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
