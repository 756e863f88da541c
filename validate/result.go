package validate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Result returns a middleware that validates what the handler returns. An
// answer that s does not accept becomes an error of kind Internal: the log has the
// places without values, and the caller gets none of them.
//
// For an HTTP request the body of a 2xx answer is validated; other statuses and
// answers without a body pass. For any other event the whole answer is
// validated. Errors of the handler pass.
func Result(s *Schema, opts ...Option) guard.Middleware {
	c := newChecker("Result", s, opts)
	return layer.Named("validate.Result", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err != nil {
				return out, err
			}
			if err := c.checkResult(out, guard.EventOf(ctx, payload)); err != nil {
				return nil, &guard.Error{Kind: guard.Internal, Err: fmt.Errorf("validate: the handler's answer: %w", err)}
			}
			return out, nil
		})
	})
}

func (c checker) checkResult(out []byte, ev *guard.Event) error {
	text := out
	if ev.Trigger().IsHTTP() {
		req, _ := ev.Request() // which may have been refused, and answered
		res, err := answer.Read(out, answer.FormOf(req))
		if err != nil {
			return err
		}
		if res.Status < 200 || res.Status > 299 || answer.Bodiless(res.Status) {
			return nil
		}
		if !res.Whole {
			text = res.Body
		}
	}
	tree, err := strictjson.Tree(text)
	if err != nil {
		return err
	}
	return describe(c.check(tree))
}

// describe adds the places to the text of an error.
func describe(err error) error {
	var refused *guard.Error
	if !errors.As(err, &refused) {
		return err
	}
	var b strings.Builder
	for _, v := range refused.Violations {
		fmt.Fprintf(&b, "; %q %s %s", v.Pointer, v.Keyword, v.Detail)
	}
	return fmt.Errorf("%w%s", err, b.String())
}
