package validate

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Result keeps back what s does not accept of a handler's answers. The error is
// Internal: the caller learns that something is wrong with us, the log has the
// places and no value.
//
// Of an answer to an HTTP request the body is judged, and only that of a
// success: an answer of another status than 2xx has its own form, and one of
// 204 no body. Of any other it is the whole answer. Errors pass as they are.
func Result(s Schema, opts ...Option) guard.Middleware {
	c := newChecker("Result", s, opts)
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err != nil {
				return out, err
			}
			if err := c.checkResult(out, guard.EventOf(ctx, payload).Trigger().IsHTTP()); err != nil {
				return nil, &guard.Error{Kind: guard.Internal, Err: fmt.Errorf("validate: the handler's answer: %w", err)}
			}
			return out, nil
		})
	}
}

func (c *checker) checkResult(out []byte, http bool) error {
	text := out
	if http {
		body, ok, err := successBody(out)
		if err != nil || !ok {
			return err
		}
		text = body
	}
	tree, err := strictjson.Tree(text)
	if err != nil {
		return err
	}
	return describe(c.check(tree))
}

// successBody gives the body of a response, and false for one that is not a
// success or has nothing to say. An answer without a status is a body itself,
// as API Gateway takes it.
func successBody(out []byte) (body []byte, ok bool, err error) {
	tree, err := strictjson.Tree(out)
	if err != nil {
		return nil, false, err
	}
	response, _ := tree.(map[string]any)
	status := jsonpeek.Lookup(out, "statusCode")
	if response == nil || status == nil {
		return out, true, nil
	}
	status = bytes.Trim(status, `"`) // a gateway takes it as a text, too
	if len(status) != 3 || status[0] != '2' || string(status) == "204" {
		return nil, false, nil
	}
	text, _ := response["body"].(string)
	if encoded, _ := response["isBase64Encoded"].(bool); encoded {
		body, err = base64.StdEncoding.DecodeString(text)
		return body, true, err
	}
	return []byte(text), true, nil
}

// describe puts the places of an error into its text, for the log.
func describe(err error) error {
	var refused *guard.Error
	if !errors.As(err, &refused) || len(refused.Violations) == 0 {
		return err
	}
	var b strings.Builder
	b.WriteString(refused.Code)
	for _, v := range refused.Violations {
		fmt.Fprintf(&b, "; %q %s %s", v.Pointer, v.Keyword, v.Detail)
	}
	return errors.New(b.String())
}
