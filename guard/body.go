package guard

import (
	"bytes"
	"mime"
	"strings"
)

// Body returns the bytes of the HTTP body, never more than the limit. A body in
// base64 is decoded. A request without a body has an empty one. The error is an
// [*Error]: TooLarge, or Invalid if the event is not an HTTP request.
func (e *Event) Body() ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requestBody()
}

// JSONBody returns the HTTP body of a request that must have one, in JSON. It
// does not decode it. The error is an [*Error]: one of [Event.Body], Invalid with
// code body_missing, or UnsupportedMediaType.
func (e *Event) JSONBody() ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	body, err := e.requestBody()
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, &Error{Kind: Invalid, Code: "body_missing", Detail: "The request has no body."}
	}
	if !isJSON(e.walked.Header("content-type")) {
		return nil, &Error{
			Kind: UnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "The body must be JSON, with the content type application/json.",
		}
	}
	return body, nil
}

// BodyTree returns the HTTP body as a tree, see [Event.Tree].
func (e *Event) BodyTree() (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bodyTree.get(func() (any, error) {
		body, err := e.requestBody()
		if err != nil {
			return nil, err
		}
		return e.readTree(body)
	})
}

// DecodeBody reads the HTTP body into v, a pointer to a zero value.
func (e *Event) DecodeBody(v any, opts ...DecodeOption) error {
	body, err := e.Body()
	if err != nil {
		return err
	}
	return decode(body, v, e.lockedLimits(), opts)
}

func (e *Event) requestBody() ([]byte, error) {
	if _, err := e.readRequest(); err != nil {
		return nil, err
	}
	return e.readBody()
}

// readBody reads the body of the partial request, also if the request is refused.
func (e *Event) readBody() ([]byte, error) {
	return e.body.get(func() ([]byte, error) {
		r, limit := e.walk(), e.currentLimits().Body
		if leastSize(r.RawBody()) > limit { // refused without the memory that it would take
			return nil, tooLarge("body", "body", limit)
		}
		body, err := r.Body()
		if err != nil {
			return nil, &Error{Kind: Invalid, Code: "malformed_base64", Detail: "The body is not base64."}
		}
		if len(body) > limit {
			return nil, tooLarge("body", "body", limit)
		}
		return body, nil
	})
}

// leastSize bounds the size of a body from below: an escape is at least a byte,
// and base64 has at most two bytes of padding.
func leastSize(quoted []byte, isBase64 bool) int {
	n := len(quoted) - len(`""`) - bytes.Count(quoted, []byte(`\`)) - 4*bytes.Count(quoted, []byte(`\u`))
	if isBase64 {
		n = n/4*3 - 2
	}
	return n
}

// isJSON reports whether a content type is JSON's or built on it (RFC 6839). It is
// false without a content type: a page of another site can send such a request
// without a preflight.
func isJSON(contentType string) bool {
	if contentType == "application/json" { // as most are
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
