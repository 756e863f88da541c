package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/guard"
)

// posted is the error that aws-lambda-go would send: it asserts the type, and
// an error of any other type goes out with its Go type and whole text.
func posted(t *testing.T, err error) messages.InvokeResponse_Error {
	t.Helper()
	own, ok := err.(messages.InvokeResponse_Error)
	if !ok {
		t.Fatalf("aws-lambda-go would post the type %T and the text %v", err, err)
	}
	return own
}

func TestErrors(t *testing.T) {
	const secret = "s3cr3t"
	own := messages.InvokeResponse_Error{Type: "Own.Type", Message: "own message"}
	declined := &guard.Error{Kind: guard.Unprocessable, Code: "card_declined", Detail: "The card was declined.", Err: errors.New(secret)}
	var nilError *guard.Error
	for _, tc := range []struct {
		rule          string
		err           error
		code, message string
	}{
		{"an Error", declined, "card_declined", "The card was declined."},
		{"an Error, wrapped", fmt.Errorf("%s: %w", secret, declined), "card_declined", "The card was declined."},
		{"an Error, joined", errors.Join(errors.New(secret), declined), "card_declined", "The card was declined."},
		{"an Error without a code", &guard.Error{Kind: guard.NotFound, Detail: "No such order."}, "not_found", "No such order."},
		{"an Error without a detail", &guard.Error{Kind: guard.Conflict, Code: "busy"}, "busy", "Conflict (request r-1)"},
		{"an unknown error", errors.New(secret), "internal", "Internal error (request r-1)"},
		{"an unknown error, wrapped", fmt.Errorf("a: %w", errors.New(secret)), "internal", "Internal error (request r-1)"},
		{"a context's deadline", fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), "timeout", "Timed out (request r-1)"},
		{"a nil *Error", nilError, "internal", "Internal error (request r-1)"},
		{"one for the platform", own, "Own.Type", "own message"},
		{"one for the platform, wrapped", fmt.Errorf("%s: %w", secret, own), "Own.Type", "own message"},
		{"a pointer to one", &own, "Own.Type", "own message"},
		{"a pointer to one, wrapped", fmt.Errorf("%s: %w", secret, &own), "Own.Type", "own message"},
		{"a nil pointer to one", (*messages.InvokeResponse_Error)(nil), "internal", "Internal error (request r-1)"},
		{"an Error caused by one for the platform", guard.Errorf(guard.Internal, "outer", "Outer: %w", own), "outer", "Outer"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			out, err := guard.Wrap(answers("", tc.err), guard.Errors()).Invoke(invocation(t.Context(), "r-1"), nil)
			got := posted(t, err)
			if got.Type != tc.code || got.Message != tc.message || out != nil {
				t.Errorf("%+v, want %s: %s", got, tc.code, tc.message)
			}
			if strings.Contains(fmt.Sprintf("%+v", got), secret) {
				t.Errorf("the cause shows: %+v", got)
			}
		})
	}
}

func TestErrorsWithoutARequestID(t *testing.T) {
	_, err := guard.Errors()(answers("", errors.New("x"))).Invoke(t.Context(), nil)
	if got := posted(t, err); got.Message != "Internal error" {
		t.Errorf("%+v", got)
	}
}

func TestErrorsLeaveAnAnswerAlone(t *testing.T) {
	out, err := guard.Errors()(answers(`{"a":1}`, nil)).Invoke(t.Context(), nil)
	if string(out) != `{"a":1}` || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}
