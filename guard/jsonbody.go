package guard

import (
	"mime"
	"strings"
)

// JSONBody is the HTTP body of a request that has to have one, in JSON. The
// error is an [*Error]: that of [Event.Body], Invalid with code body_missing,
// or UnsupportedMediaType. The body's text has yet to be decoded.
func (e *Event) JSONBody() ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.jsonBody.get(e.readJSONBody)
}

func (e *Event) readJSONBody() ([]byte, error) {
	body, err := e.readBody()
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
