// Package answer parses a function's answer as the services do.
package answer

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

// A Response is a function's answer, ready for the client.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// StreamType marks a response whose status and headers stand before its
// body. See https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html
const StreamType = "application/vnd.awslambda.http-integration-response"

// streamPrelude is what separates them.
var streamPrelude = make([]byte, 8)

// Parse2 reads a response of format 2.0. JSON without a statusCode is
// the body itself.
func Parse2(payload []byte) (Response, error) {
	if !json.Valid(payload) {
		return Response{}, errors.New("gateway: the function's response is not JSON")
	}
	members := Members(payload)
	if _, ok := members["statusCode"]; !ok {
		return Response{
			Status: http.StatusOK,
			Header: http.Header{"Content-Type": {"application/json"}},
			Body:   payload,
		}, nil
	}
	return parseMembers(members, []string{"cookies"})
}

// Parse1 reads a response of format 1.0, which has to be complete.
func Parse1(payload []byte) (Response, error) {
	members := Members(payload)
	if _, ok := members["statusCode"]; !ok {
		return Response{}, errors.New("gateway: the function's response has no statusCode, as format 1.0 requires")
	}
	return parseMembers(members, []string{"multiValueHeaders"})
}

// ParseStream reads a response of a function that streams.
func ParseStream(payload []byte) (Response, error) {
	prelude, body, ok := bytes.Cut(payload, streamPrelude)
	if !ok {
		return Response{}, errors.New("gateway: the function's stream has no end of its prelude")
	}
	members := Members(prelude)
	if members == nil {
		return Response{}, errors.New("gateway: the prelude of the function's stream is not a JSON object")
	}
	if _, ok := members["statusCode"]; !ok {
		members["statusCode"] = json.RawMessage("200")
	}
	delete(members, "body")
	delete(members, "isBase64Encoded")
	answer, err := parseMembers(members, []string{"cookies", "multiValueHeaders"})
	answer.Body = body
	return answer, err
}

// Members returns the members of an object, and nil for any other JSON. Names are
// compared exactly, as API Gateway does and a struct would not.
func Members(payload []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return nil
	}
	return members
}

// parseMembers reads the members that every format has, and the members in
// optional.
func parseMembers(members map[string]json.RawMessage, optional []string) (Response, error) {
	var (
		headers      map[string]Scalar
		multiHeaders map[string][]Scalar
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
				return Response{}, fmt.Errorf("gateway: %s of the function's response: %w", name, err)
			}
		}
	}
	status, err := parseStatus(members["statusCode"])
	if err != nil {
		return Response{}, err
	}
	header := http.Header{}
	for name, value := range headers {
		header.Set(name, string(value))
	}
	// A name in both has the values of multiValueHeaders.
	for name, values := range multiHeaders {
		header.Del(name)
		for _, value := range values {
			header.Add(name, string(value))
		}
	}
	for _, cookie := range cookies {
		header.Add("Set-Cookie", cookie)
	}
	return newResponse(status, header, body, isBase64)
}

func newResponse(status int, header http.Header, body string, isBase64 bool) (Response, error) {
	if err := checkHeader(header); err != nil {
		return Response{}, err
	}
	text := []byte(body)
	if isBase64 {
		var err error
		if text, err = base64.StdEncoding.DecodeString(body); err != nil {
			return Response{}, fmt.Errorf("gateway: the body of the function's response: %w", err)
		}
	}
	return Response{Status: status, Header: header, Body: text}, nil
}

// parseStatus takes a number, also in quotes.
func parseStatus(raw json.RawMessage) (int, error) {
	var text Scalar
	if err := json.Unmarshal(raw, &text); err != nil {
		return 0, fmt.Errorf("gateway: statusCode of the function's response: %w", err)
	}
	status, err := strconv.Atoi(string(text))
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("gateway: statusCode of the function's response is %s", raw)
	}
	return status, nil
}

// A Scalar is the text of a JSON string, number or boolean.
type Scalar string

func (s *Scalar) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(s))
	case '{', '[', 'n':
		return fmt.Errorf("%.20s is not a string", raw)
	default:
		*s = Scalar(raw)
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

// Write sends the response. A body without a content type is of the default one,
// and has none when that is empty.
func (r Response) Write(w http.ResponseWriter, defaultType string) {
	h := w.Header()
	for name, values := range r.Header {
		if name != "Content-Length" && !slices.Contains(HopByHop, name) {
			h[name] = values
		}
	}
	hasBody := r.Status != http.StatusNoContent && r.Status != http.StatusNotModified
	if h.Get("Content-Type") == "" {
		h["Content-Type"] = nil // or net/http would guess
		if defaultType != "" && hasBody {
			h.Set("Content-Type", defaultType)
		}
	}
	if hasBody {
		h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(r.Status)
	if hasBody {
		_, _ = w.Write(r.Body)
	}
}

// HopByHop are the headers that belong to the connection and never pass a
// gateway; RFC 9110, section 7.6.1.
var HopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}
