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
		{rule: "an Error", err: declined, code: "card_declined", message: "The card was declined."},
		{
			rule:    "an Error, wrapped",
			err:     fmt.Errorf("%s: %w", secret, declined),
			code:    "card_declined",
			message: "The card was declined.",
		},
		{
			rule:    "an Error, joined",
			err:     errors.Join(errors.New(secret), declined),
			code:    "card_declined",
			message: "The card was declined.",
		},
		{
			rule:    "an Error without a code",
			err:     &guard.Error{Kind: guard.NotFound, Detail: "No such order."},
			code:    "not_found",
			message: "No such order.",
		},
		{
			rule:    "an Error without a detail",
			err:     &guard.Error{Kind: guard.Conflict, Code: "busy"},
			code:    "busy",
			message: "Conflict (request r-1)",
		},
		{rule: "an unknown error", err: errors.New(secret), code: "internal", message: "Internal error (request r-1)"},
		{
			rule:    "an unknown error, wrapped",
			err:     fmt.Errorf("a: %w", errors.New(secret)),
			code:    "internal",
			message: "Internal error (request r-1)",
		},
		{
			rule:    "a context's deadline",
			err:     fmt.Errorf("%s: %w", secret, context.DeadlineExceeded),
			code:    "timeout",
			message: "Timed out (request r-1)",
		},
		{rule: "a nil *Error", err: nilError, code: "internal", message: "Internal error (request r-1)"},
		{rule: "one for the platform", err: own, code: "Own.Type", message: "own message"},
		{rule: "one for the platform, wrapped", err: fmt.Errorf("%s: %w", secret, own), code: "Own.Type", message: "own message"},
		{rule: "a pointer to one", err: &own, code: "Own.Type", message: "own message"},
		{rule: "a pointer to one, wrapped", err: fmt.Errorf("%s: %w", secret, &own), code: "Own.Type", message: "own message"},
		{
			rule:    "a nil pointer to one",
			err:     (*messages.InvokeResponse_Error)(nil),
			code:    "internal",
			message: "Internal error (request r-1)",
		},
		{
			rule:    "an Error caused by one for the platform",
			err:     guard.Errorf(guard.Internal, "outer", "Outer: %w", own),
			code:    "outer",
			message: "Outer",
		},
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
