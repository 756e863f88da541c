package validate

import (
	"context"
	"mime"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Body lets a request through whose HTTP body is JSON that s accepts, and
// refuses any other with a [*guard.Error]:
//
//	validation_failed       Invalid               s refuses it; Violations has the places
//	body_missing            Invalid               there is none
//	unsupported_media_type  UnsupportedMediaType  the content type is not application/json or …+json
//	malformed_json and the like                   the body is not strict JSON, see [guard.Event.Tree]
//	validation_too_costly   Invalid               see [MaxChecks]
//
// It judges the tree that the layers share, so the body is decoded once for
// all that ask. It belongs around routes that take a body.
func Body(s Schema, opts ...Option) guard.Middleware {
	c := newChecker("Body", s, opts)
	return layer(func(ctx context.Context, payload []byte) error {
		ev := guard.EventOf(ctx, payload)
		req, err := ev.HTTP()
		if err != nil {
			return err
		}
		body, err := ev.Body()
		if err != nil {
			return err
		}
		if len(body) == 0 {
			return guard.Errorf(guard.Invalid, "body_missing", "The request has no body.")
		}
		if !isJSON(contentType(req)) {
			return guard.Errorf(guard.UnsupportedMediaType, "unsupported_media_type", "The body must be JSON, with the content type application/json.")
		}
		tree, err := ev.BodyTree()
		if err != nil {
			return err
		}
		return c.check(tree)
	})
}

// layer calls what is inside it when check finds nothing.
func layer(check func(ctx context.Context, payload []byte) error) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if err := check(ctx, payload); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
}

// contentType gives the header, which a gateway sends in lower case. Of several
// that differ in case one that is not JSON's is given.
func contentType(req *events.APIGatewayV2HTTPRequest) string {
	if value, ok := req.Headers["content-type"]; ok {
		return value
	}
	found := ""
	for name, value := range req.Headers {
		if strings.EqualFold(name, "content-type") && (found == "" || isJSON(found)) {
			found = value
		}
	}
	return found
}

// isJSON reports whether a content type is JSON's or built on it (RFC 6839). A
// request without one does not pass: a page of another site can send it
// without asking first.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
