package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestAnOldValueServesWithinMaxStaleAndVisibly(t *testing.T) {
	for _, tc := range []struct {
		rule string
		err  error
	}{
		{rule: "throttled, or a 5xx", err: fmt.Errorf("ThrottlingException: %w", secrets.ErrUnavailable)},
		{rule: "out of time", err: fmt.Errorf("get: %w", context.DeadlineExceeded)},
		{rule: "given up", err: context.Canceled},
		{rule: "a network error", err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}},
		{rule: "a cut connection", err: &url.Error{Op: "Get", URL: "http://localhost", Err: io.ErrUnexpectedEOF}},
		{rule: "an unknown host", err: &net.DNSError{IsNotFound: true}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			var served []secrets.StaleReport
			c, v, at := newCache(secrets.OnStale(func(_ context.Context, s secrets.StaleReport) { served = append(served, s) }))
			fetched := mustGet(t, c, "hunter2").FetchedAt()
			v.fail(tc.err)
			at.move(5 * time.Minute)
			for range 2 { // the second is within the backoff
				s := mustGet(t, c, "hunter2")
				if !s.Stale() || s.Version() != "1" || !s.FetchedAt().Equal(fetched) {
					t.Errorf("got stale %v, version %q, fetched at %v, want stale version 1 of %v", s.Stale(), s.Version(), s.FetchedAt(), fetched)
				}
			}
			if len(served) != 2 {
				t.Fatalf("got %d reports, want 2", len(served))
			}
			for _, s := range served {
				if s.Ref != (secrets.Ref{Name: name}) || s.Version != "1" || s.Age != 5*time.Minute || !errors.Is(s.Err, tc.err) {
					t.Errorf("got report %+v, want one of version 1 after 5 minutes with the error %v", s, tc.err)
				}
			}
			at.move(15*time.Minute - 1)
			if !mustGet(t, c, "hunter2").Stale() {
				t.Error("in the last moment: got a fresh value, want a stale one")
			}
			at.move(1)
			mustFail(t, c, "secret_unavailable", tc.err)
			at.move(time.Hour)
			v.fail(nil)
			if mustGet(t, c, "hunter2").Stale() {
				t.Error("got a stale value, want one that was just fetched")
			}
		})
	}
}

func TestMaxStaleOfZeroServesNothingStale(t *testing.T) {
	c, v, at := newCache(secrets.MaxStale(0))
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
}

func TestMaxStaleFollowsARotationThatIsDue(t *testing.T) {
	c, v, at := newCache()
	v.setRef(secrets.Ref{Name: name}, secrets.Value{Data: []byte("hunter2"), Expires: at.Now().Add(time.Minute)})
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(16*time.Minute - 1)
	mustGet(t, c, "hunter2")
	at.move(1)
	mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
}

func TestTheRecordOfAnInvocationNamesAStaleSecret(t *testing.T) {
	c, v, at := newCache()
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	var log bytes.Buffer
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, err := c.Get(ctx, name)
		return nil, err
	}), guard.Log(logging.New(&log)))
	if _, err := h.Invoke(t.Context(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `"staleSecret":"`+name+`"`) {
		t.Errorf("got the record %s, want staleSecret in it", log.String())
	}
}
