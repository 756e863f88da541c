package idempotency

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// replayForm returns an HTTP answer as it is replayed: all of it as it is, but
// without cookies, which were made for the first caller's session, and with the
// header that marks it and those of extra. Without extra it changes nothing in
// what it has returned. Format 1.0 has headers of several values.
func replayForm(answer []byte, format1 bool, extra http.Header) []byte {
	if jsonpeek.Lookup(answer, "statusCode") == nil {
		answer = wholeBody(answer)
	}
	target, marked := targetOf(answer, format1)
	added := false
	out := make([]byte, 1, len(answer)+len(`,"headers":{"Idempotent-Replayed":["true"]},`))
	out[0] = '{'
	for name, value := range jsonpeek.Members(answer) {
		switch what := unescaped(name); string(what) {
		case "cookies":
			continue
		case "headers", "multiValueHeaders":
			lists := string(what) == "multiValueHeaders"
			var add []byte
			if string(what) == target && !added {
				add, added = headersOf(!marked, extra, lists), true
			}
			value = withHeaders(value, add, func(header, value []byte) bool {
				return isDropped(header, extra) && !((!lists || format1) && isMark(header, value, lists))
			})
		}
		out = appendMember(out, name, value)
	}
	if !added {
		out = appendMember(out, []byte("headers"), withHeaders(nil, headersOf(!marked, extra, false), nil))
	}
	return append(out, '}')
}

// wholeBody returns an answer without a status as the gateway reads it.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func wholeBody(answer []byte) []byte {
	out := make([]byte, 0, len(answer)+len(answer)/4+128)
	out = append(out, `{"statusCode":200,"headers":{"content-type":"application/json","Idempotent-Replayed":"true"},"body":`...)
	out, _ = jsontext.AppendQuote(out, answer) // it has been checked to be JSON
	return append(out, `,"isBase64Encoded":false}`...)
}

// targetOf returns the object of headers that the mark goes into, and whether
// the mark is there already.
func targetOf(answer []byte, format1 bool) (target string, marked bool) {
	target = "headers"
	for name, value := range jsonpeek.Members(answer) {
		what := unescaped(name)
		lists := string(what) == "multiValueHeaders"
		switch {
		case lists && (!format1 || value[0] != '{'), !lists && string(what) != "headers":
			continue
		case lists:
			target = "multiValueHeaders"
		}
		for header, value := range jsonpeek.Members(value) {
			marked = marked || isMark(header, value, lists)
		}
	}
	return target, marked
}

// headersOf returns the members that are added to an object of headers.
func headersOf(mark bool, extra http.Header, lists bool) (members []byte) {
	if mark {
		members = appendMember(members, []byte("Idempotent-Replayed"), []byte(markOf(lists)))
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		values := extra[name]
		if isDropped([]byte(name), nil) || !isHeader(name, values) {
			continue
		}
		var value []byte
		if lists {
			value, _ = json.Marshal(values) // fails for no list of texts
		} else {
			value, _ = json.Marshal(strings.Join(values, ", "))
		}
		members = appendMember(members, []byte(name), value)
	}
	return members
}

// withHeaders copies an object of headers, without what is dropped and with add
// in front.
func withHeaders(headers, add []byte, drop func(name, value []byte) bool) []byte {
	out := append(make([]byte, 0, len(headers)+len(add)+3), '{')
	out = append(out, add...)
	for name, value := range jsonpeek.Members(headers) {
		if !drop(name, value) {
			out = appendMember(out, name, value)
		}
	}
	return append(out, '}')
}

// appendMember appends a member, behind an opening brace or other members. Its
// name is without quotes and has the escapes of JSON.
func appendMember(out, name, value []byte) []byte {
	if len(out) > 0 && !(len(out) == 1 && out[0] == '{') {
		out = append(out, ',')
	}
	out = append(out, '"')
	out = append(out, name...)
	out = append(out, `":`...)
	return append(out, value...)
}

// isMark reports whether a header is the mark as it is written here.
func isMark(name, value []byte, list bool) bool {
	return string(name) == "Idempotent-Replayed" && string(value) == markOf(list)
}

func markOf(list bool) string {
	if list {
		return `["true"]`
	}
	return `"true"`
}

// isDropped reports whether a header, its name as it stands in JSON, is left out
// of a replay, or replaced.
func isDropped(name []byte, replaced http.Header) bool {
	text := unescaped(name)
	if bytes.EqualFold(text, []byte("Set-Cookie")) || bytes.EqualFold(text, []byte("Idempotent-Replayed")) {
		return true
	}
	for name, values := range replaced {
		if bytes.EqualFold(text, []byte(name)) && isHeader(name, values) {
			return true
		}
	}
	return false
}

// isHeader reports whether HTTP allows a header.
func isHeader(name string, values []string) bool {
	const others = "!#$%&'*+-.^_`|~"
	isToken := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !alphanumeric && !strings.ContainsRune(others, r)
	})
	return isToken && len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool {
		return strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	})
}

// unescaped is a name in a text that is valid JSON.
func unescaped(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	text, _ := jsontext.AppendUnquote(nil, `"`+string(name)+`"`)
	return text
}
