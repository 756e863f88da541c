package idempotency

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// replayHeader marks an answer that was given before.
const replayHeader = `"Idempotent-Replayed":`

// statusOf is the status of an answer in proxy form, which has to say it unless
// it may be bare: it is 200 then. What is no answer the gateway does not take: it
// answers 502.
func statusOf(answer []byte, bare bool) (status int, ok bool) {
	if !jsontext.Value(answer).IsValid(jsontext.AllowDuplicateNames(true)) {
		return http.StatusBadGateway, false
	}
	raw := jsonpeek.Lookup(answer, "statusCode")
	if raw == nil && bare {
		return http.StatusOK, true
	}
	if text := jsonpeek.Text(raw); text != nil {
		raw = text
	}
	status, err := strconv.Atoi(string(raw))
	if err != nil || status < 100 || status > 599 {
		return http.StatusBadGateway, false
	}
	return status, true
}

// replayForm returns an HTTP answer as it is replayed: all of it as it is, but
// with the header that marks it and without cookies, which were made for the
// first caller's session. It changes nothing in what it has returned. Format 1.0
// has headers of several values.
func replayForm(answer []byte, format1 bool) []byte {
	if jsonpeek.Lookup(answer, "statusCode") == nil {
		return wholeBody(answer)
	}
	target, marked := "headers", false
	for name, value := range jsonpeek.Members(answer) {
		switch what := unescaped(name); {
		case what == "headers":
			marked = marked || isMarked(value, markOf(what))
		case what == "multiValueHeaders" && format1 && value[0] == '{':
			target = what
			marked = marked || isMarked(value, markOf(what))
		}
	}
	out := make([]byte, 1, len(answer)+len(`,"headers":{"Idempotent-Replayed":["true"]},`))
	out[0] = '{'
	for name, value := range jsonpeek.Members(answer) {
		what := unescaped(name)
		if what == "cookies" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, name...)
		out = append(out, `":`...)
		switch {
		case what == "headers" || what == "multiValueHeaders":
			out = appendHeaders(out, value, markOf(what), what == target && !marked, what == "headers" || format1)
			marked = marked || what == target
		default:
			out = append(out, value...)
		}
	}
	if !marked {
		out = append(out, `,"headers":{`...)
		out = append(out, replayHeader...)
		out = append(out, `"true"}`...)
	}
	return append(out, '}')
}

// markOf is the value of the mark in an object of headers.
func markOf(headers string) string {
	if headers == "multiValueHeaders" {
		return `["true"]`
	}
	return `"true"`
}

// wholeBody gives an answer without a status the form that the gateway reads
// into it.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func wholeBody(answer []byte) []byte {
	out := make([]byte, 0, len(answer)+len(answer)/4+128)
	out = append(out, `{"statusCode":200,"headers":{"content-type":"application/json",`...)
	out = append(out, replayHeader...)
	out = append(out, `"true"},"body":`...)
	out, _ = jsontext.AppendQuote(out, answer) // it has been checked to be JSON
	return append(out, `,"isBase64Encoded":false}`...)
}

// appendHeaders copies an object of headers without cookies, and with the mark:
// a new one in front, or the one that is there if old is set.
func appendHeaders(out, headers []byte, mark string, add, old bool) []byte {
	out = append(out, '{')
	first := true
	if add {
		out = append(out, replayHeader...)
		out = append(out, mark...)
		first = false
	}
	for name, value := range jsonpeek.Members(headers) {
		if isDropped(name) && !(old && isMark(name, value, mark)) {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, '"')
		out = append(out, name...)
		out = append(out, `":`...)
		out = append(out, value...)
	}
	return append(out, '}')
}

// isMark reports whether a header is the mark as it is written here.
func isMark(name, value []byte, mark string) bool {
	return string(name) == "Idempotent-Replayed" && string(value) == mark
}

func isMarked(headers []byte, mark string) bool {
	for name, value := range jsonpeek.Members(headers) {
		if isMark(name, value, mark) {
			return true
		}
	}
	return false
}

// isDropped reports whether a header, its name as it stands in JSON, is left out
// of a replay.
func isDropped(name []byte) bool {
	text := unescaped(name)
	return strings.EqualFold(text, "Set-Cookie") || strings.EqualFold(text, "Idempotent-Replayed")
}

// unescaped is a name in a text that is valid JSON.
func unescaped(name []byte) string {
	if bytes.IndexByte(name, '\\') < 0 {
		return string(name)
	}
	text, _ := jsontext.AppendUnquote(nil, `"`+string(name)+`"`)
	return string(text)
}
