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
		{guard.Internal, "internal", 500, false, true},
		{guard.Invalid, "invalid", 400, true, false},
		{guard.Unauthenticated, "unauthenticated", 401, true, false},
		{guard.Forbidden, "forbidden", 403, true, false},
		{guard.NotFound, "not_found", 404, true, false},
		{guard.MethodNotAllowed, "method_not_allowed", 405, true, false},
		{guard.Conflict, "conflict", 409, true, true},
		{guard.TooLarge, "too_large", 413, true, false},
		{guard.UnsupportedMediaType, "unsupported_media_type", 415, true, false},
		{guard.Unprocessable, "unprocessable", 422, true, false},
		{guard.TooManyRequests, "too_many_requests", 429, true, true},
		{guard.Unavailable, "unavailable", 503, false, true},
		{guard.Timeout, "timeout", 504, false, true},
		{guard.Kind(200), "internal", 500, false, true},
	} {
		k := tc.kind
		if k.String() != tc.name || k.Status() != tc.status || k.CallersFault() != tc.callers || k.Retryable() != tc.retry || k.Title() == "" {
			t.Errorf("%s %d %q, caller's fault %t, retry %t; want %+v", k, k.Status(), k.Title(), k.CallersFault(), k.Retryable(), tc)
		}
	}
}
