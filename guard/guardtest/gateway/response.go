package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A response is a function's answer, ready for the client.
type response struct {
	status int
	header http.Header
	body   []byte
}

// streamContentType marks a response whose status and headers stand before its
// body. See https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html
const streamContentType = "application/vnd.awslambda.http-integration-response"

// streamPrelude is what separates them.
var streamPrelude = make([]byte, 8)

// parseResponse2 reads a response of format 2.0. JSON without a statusCode is
// the body itself.
func parseResponse2(payload []byte) (response, error) {
	if !json.Valid(payload) {
		return response{}, errors.New("gateway: the function's response is not JSON")
	}
	members := objectMembers(payload)
	if _, ok := members["statusCode"]; !ok {
		return response{
			status: http.StatusOK,
			header: http.Header{"Content-Type": {"application/json"}},
			body:   payload,
		}, nil
	}
	return parseMembers(members, []string{"cookies"})
}

// parseResponse1 reads a response of format 1.0, which has to be complete.
func parseResponse1(payload []byte) (response, error) {
	members := objectMembers(payload)
	if _, ok := members["statusCode"]; !ok {
		return response{}, errors.New("gateway: the function's response has no statusCode, as format 1.0 requires")
	}
	return parseMembers(members, []string{"multiValueHeaders"})
}

// parseStream reads a response of a function that streams.
func parseStream(payload []byte) (response, error) {
	prelude, body, ok := bytes.Cut(payload, streamPrelude)
	if !ok {
		return response{}, errors.New("gateway: the function's stream has no end of its prelude")
	}
	members := objectMembers(prelude)
	if members == nil {
		return response{}, errors.New("gateway: the prelude of the function's stream is not a JSON object")
	}
	if _, ok := members["statusCode"]; !ok {
		members["statusCode"] = json.RawMessage("200")
	}
	delete(members, "body")
	delete(members, "isBase64Encoded")
	answer, err := parseMembers(members, []string{"cookies", "multiValueHeaders"})
	answer.body = body
	return answer, err
}

// objectMembers returns nil for what is not an object. Names are compared
// exactly, as API Gateway does and a struct would not.
func objectMembers(payload []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return nil
	}
	return members
}

// parseMembers reads the members that every format has, and those of optional.
func parseMembers(members map[string]json.RawMessage, optional []string) (response, error) {
	var (
		headers      map[string]scalar
		multiHeaders map[string][]scalar
		cookies      []string
		body         string
		isBase64     bool
	)
	into := map[string]any{"headers": &headers, "body": &body, "isBase64Encoded": &isBase64}
	for _, name := range optional {
		into[name] = map[string]any{"cookies": &cookies, "multiValueHeaders": &multiHeaders}[name]
	}
	for name, target := range into {
		if value, ok := members[name]; ok {
			if err := json.Unmarshal(value, target); err != nil {
				return response{}, fmt.Errorf("gateway: %s of the function's response: %w", name, err)
			}
		}
	}
	status, err := parseStatus(members["statusCode"])
	if err != nil {
		return response{}, err
	}
	answer := response{status: status, header: http.Header{}, body: []byte(body)}
	for name, value := range headers {
		answer.header.Set(name, string(value))
	}
	// A name in both has the values of the latter.
	for name, values := range multiHeaders {
		answer.header.Del(name)
		for _, value := range values {
			answer.header.Add(name, string(value))
		}
	}
	for _, cookie := range cookies {
		answer.header.Add("Set-Cookie", cookie)
	}
	if err := checkHeader(answer.header); err != nil {
		return response{}, err
	}
	if isBase64 {
		if answer.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return response{}, fmt.Errorf("gateway: the body of the function's response: %w", err)
		}
	}
	return answer, nil
}

// parseStatus takes a number, also in quotes.
func parseStatus(raw json.RawMessage) (int, error) {
	var text scalar
	if err := json.Unmarshal(raw, &text); err != nil {
		return 0, fmt.Errorf("gateway: statusCode of the function's response: %w", err)
	}
	status, err := strconv.Atoi(string(text))
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("gateway: statusCode of the function's response is %s", raw)
	}
	return status, nil
}

// A scalar is the text of a JSON string, number or boolean.
type scalar string

func (s *scalar) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(s))
	case '{', '[', 'n':
		return fmt.Errorf("%.20s is not a string", raw)
	default:
		*s = scalar(raw)
		return nil
	}
}

// checkHeader refuses what net/http would silently change or leave out.
func checkHeader(h http.Header) error {
	for name, values := range h {
		valid := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
			return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
		})
		for _, value := range values {
			valid = valid && !strings.ContainsAny(value, "\r\n\x00")
		}
		if !valid {
			return fmt.Errorf("gateway: header %q of the function's response is not valid", name)
		}
	}
	return nil
}

func (r response) write(w http.ResponseWriter, idHeader, id string) {
	h := w.Header()
	for name, values := range r.header {
		if name != "Content-Length" && !slices.Contains(hopByHop, name) {
			h[name] = values
		}
	}
	hasBody := r.status != http.StatusNoContent && r.status != http.StatusNotModified
	if h.Get("Content-Type") == "" && hasBody {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set(idHeader, id)
	if hasBody {
		h.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	if hasBody {
		_, _ = w.Write(r.body)
	}
}
