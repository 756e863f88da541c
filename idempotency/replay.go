package idempotency

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	httpanswer "github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// replayHeader marks an answer that was given before.
const replayHeader = `"Idempotent-Replayed":`

// replayForm gives an HTTP answer as it is replayed: all of it as it is, but
// with the header that marks it and without cookies, which were made for the
// first caller's session. Format 1.0 may have headers of several values, and a
// load balancer that takes them takes no others.
func replayForm(answer []byte, form httpanswer.Form) []byte {
	has, lists := false, form == httpanswer.Lists
	for name, value := range jsonpeek.Members(answer) {
		switch plainName(name) {
		case "statusCode":
			has = true
		case "multiValueHeaders":
			lists = lists || form == httpanswer.Format1 && value[0] == '{'
		}
	}
	if !has {
		return wholeBody(answer)
	}
	target, mark := "headers", replayHeader+`"true"`
	if lists {
		target, mark = "multiValueHeaders", replayHeader+`["true"]`
	}
	out := make([]byte, 1, len(answer)+len(mark)+len(`,"headers":{},`))
	out[0] = '{'
	marked := false
	for name, value := range jsonpeek.Members(answer) {
		what := plainName(name)
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
		case what == target:
			out = appendHeaders(out, value, mark)
			marked = true
		case what == "headers" || what == "multiValueHeaders":
			out = appendHeaders(out, value, "")
		default:
			out = append(out, value...)
		}
	}
	if !marked {
		out = append(out, `,"`+target+`":{`+mark+`}`...)
	}
	return append(out, '}')
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

// appendHeaders copies an object of headers without cookies and adds mark.
func appendHeaders(out, headers []byte, mark string) []byte {
	out = append(out, '{')
	out = append(out, mark...)
	first := mark == ""
	for name, value := range jsonpeek.Members(headers) {
		if dropped(name) {
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

// dropped reports whether a header, its name as it stands in JSON, is left out
// of a replay.
func dropped(name []byte) bool {
	text := plainName(name)
	return strings.EqualFold(text, "Set-Cookie") || strings.EqualFold(text, "Idempotent-Replayed")
}

// plainName returns what a name stands for, of an answer that was checked.
func plainName(name []byte) string {
	if bytes.IndexByte(name, '\\') < 0 {
		return string(name)
	}
	plain, _ := jsontext.AppendUnquote(nil, `"`+string(name)+`"`)
	return string(plain)
}
