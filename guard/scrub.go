package guard

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// longestCause bounds what an error's text takes of the log.
const longestCause = 8 << 10

// scrub takes out of an error's text the values that the request brought:
// strconv, url, time and many more quote what they could not read, whole and
// the part that they stopped at. It knows
// the leaves of a JSON body or the whole of another one, the fields of a form,
// query values, cookies, and the headers that are the caller's own to fill; and
// of an event that is no HTTP request and no batch or notification of AWS's,
// the leaves of its tree. What cannot be read may stand in any text: all of the
// text is then hidden.
func scrub(text string, ev *Event) string {
	if text == "" {
		return ""
	}
	s := &scrubber{text: text, found: map[string]bool{}}
	switch trigger := ev.Trigger(); trigger {
	case HTTPAPI, FunctionURL, REST, VPCLattice:
		s.request(ev)
	case Unknown, ALB, WebSocket, Authorizer, Cognito:
		s.event(ev)
	}
	return shortened(s.result())
}

func (s *scrubber) leaves(tree any) {
	switch v := tree.(type) {
	case string:
		s.value(v)
		s.credential(v)
	case json.Number:
		s.value(v.String())
	case map[string]any:
		for name, child := range v {
			s.leaves(child)
			if strings.EqualFold(name, "cookie") || name == "cookies" {
				s.cookies(child)
			}
		}
	case []any:
		for _, child := range v {
			s.leaves(child)
		}
	}
}

// cookies looks for the values of cookies, which stand in a header or a list.
func (s *scrubber) cookies(tree any) {
	switch v := tree.(type) {
	case string:
		_, rest, _ := strings.Cut(v, "=")
		s.value(rest)
		for cookie := range strings.SplitSeq(v, ";") {
			_, value, _ := strings.Cut(cookie, "=")
			s.value(strings.TrimSpace(value))
		}
	case []any:
		for _, child := range v {
			s.cookies(child)
		}
	}
}

// credential looks for what follows the scheme in "Bearer …": the scheme in
// front is no secret, and errors go without it.
func (s *scrubber) credential(v string) {
	if _, rest, ok := strings.Cut(v, " "); ok && !strings.Contains(rest, " ") {
		s.value(rest)
	}
}

func (s *scrubber) event(ev *Event) {
	tree, err := ev.Tree()
	if err != nil && len(ev.Raw()) > 0 {
		s.all()
		return
	}
	s.leaves(tree)
	object, _ := tree.(map[string]any)
	text, _ := object["body"].(string)
	if trigger := ev.Trigger(); text == "" || trigger != ALB && trigger != WebSocket {
		return
	}
	body := []byte(text)
	if object["isBase64Encoded"] == true {
		n, err := base64.StdEncoding.Decode(body, body)
		if err != nil {
			s.all()
			return
		}
		body = body[:n]
	}
	inner := &Event{raw: body, limits: ev.lockedLimits()}
	s.body(body, inner.Tree)
}

func (s *scrubber) request(ev *Event) {
	req, err := ev.HTTP()
	if err != nil {
		s.all()
		return
	}
	s.form(req.RawQueryString)
	for _, cookie := range req.Cookies {
		s.cookies(cookie)
	}
	for name, v := range req.Headers {
		if strings.EqualFold(name, "cookie") {
			s.cookies(v)
		}
		if !gatewayHeader(strings.ToLower(name)) {
			s.value(v)
			s.credential(v)
		}
	}
	body, err := ev.Body()
	if err != nil {
		s.all()
		return
	}
	s.body(body, ev.BodyTree)
}

func (s *scrubber) body(body []byte, asTree func() (any, error)) {
	if tree, err := asTree(); err == nil {
		s.leaves(tree)
		return
	}
	s.value(string(body))
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		s.all() // JSON, or all but JSON: its values are anyone's guess
		return
	}
	s.form(string(body))
}

// form looks for the values of a query or a form, decoded and as they came.
func (s *scrubber) form(text string) {
	for pair := range strings.SplitSeq(text, "&") {
		_, raw, _ := strings.Cut(pair, "=")
		s.value(raw)
		if v, err := url.QueryUnescape(raw); err == nil && v != raw {
			s.value(v)
		}
	}
}

// shortened cuts a text that is too long for a log, at a whole character.
func shortened(text string) string {
	if len(text) <= longestCause {
		return text
	}
	return strings.ToValidUTF8(text[:longestCause], "") + "…"
}

// gatewayHeader reports whether a header says nothing of the caller's own that
// is worth hiding, and much that errors are right to name.
func gatewayHeader(name string) bool {
	switch name {
	case "host", "content-type", "content-length", "accept", "accept-encoding", "user-agent", "origin":
		return true
	}
	return strings.HasPrefix(name, "x-amzn-") || strings.HasPrefix(name, "x-forwarded-")
}
