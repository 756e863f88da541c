package guard_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

func TestKinds(t *testing.T) {
	for _, tc := range []struct {
		kind    guard.Kind
		name    string
		status  int
		callers bool
		retry   bool
	}{
		{kind: guard.Internal, name: "internal", status: 500, retry: true},
		{kind: guard.Invalid, name: "invalid", status: 400, callers: true},
		{kind: guard.Unauthenticated, name: "unauthenticated", status: 401, callers: true},
		{kind: guard.Forbidden, name: "forbidden", status: 403, callers: true},
		{kind: guard.NotFound, name: "not_found", status: 404, callers: true},
		{kind: guard.MethodNotAllowed, name: "method_not_allowed", status: 405, callers: true},
		{kind: guard.Conflict, name: "conflict", status: 409, callers: true, retry: true},
		{kind: guard.TooLarge, name: "too_large", status: 413, callers: true},
		{kind: guard.UnsupportedMediaType, name: "unsupported_media_type", status: 415, callers: true},
		{kind: guard.Unprocessable, name: "unprocessable", status: 422, callers: true},
		{kind: guard.TooManyRequests, name: "too_many_requests", status: 429, callers: true, retry: true},
		{kind: guard.Unavailable, name: "unavailable", status: 503, retry: true},
		{kind: guard.Timeout, name: "timeout", status: 504, retry: true},
		{kind: guard.Kind(200), name: "internal", status: 500, retry: true},
	} {
		k := tc.kind
		if k.String() != tc.name || k.Status() != tc.status || k.IsClientError() != tc.callers || k.Retryable() != tc.retry || k.Title() == "" {
			t.Errorf("%s %d %q, caller's fault %t, retry %t; want %+v", k, k.Status(), k.Title(), k.IsClientError(), k.Retryable(), tc)
		}
	}
}
