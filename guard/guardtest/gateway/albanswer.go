package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
)

// parseALB reads an answer. What may be left out may not be null.
//
// See https://github.com/aws/aws-lambda-dotnet/issues/507,
// https://github.com/aws-powertools/powertools-lambda-python/issues/4671 and
// https://github.com/awsdocs/elb-application-load-balancers-user-guide/issues/33
func parseALB(payload []byte, cfg ALBConfig) (answer response, err error) {
	if len(payload) > maxALB {
		return answer, fmt.Errorf("gateway: the function's response is over %d bytes", maxALB)
	}
	members := objectMembers(payload)
	if members["statusCode"] == nil {
		return answer, errors.New("gateway: the function's response is not an object with a statusCode")
	}
	var (
		status      float64
		description string
		body        string
		isBase64    bool
	)
	for name, into := range map[string]any{
		"statusCode": &status, "statusDescription": &description, "body": &body, "isBase64Encoded": &isBase64,
	} {
		if err := albMember(members, name, into); err != nil {
			return answer, err
		}
	}
	if status != math.Trunc(status) || status < 200 || status > 599 {
		return answer, fmt.Errorf("gateway: statusCode of the function's response is %v", status)
	}
	answer = response{status: int(status), body: []byte(body)}
	if answer.header, err = albHeader(members, cfg); err != nil {
		return answer, err
	}
	if isBase64 {
		if answer.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return answer, fmt.Errorf("gateway: the body of the function's response: %w", err)
		}
	}
	return answer, nil
}

func albMember(members map[string]json.RawMessage, name string, into any) error {
	raw, ok := members[name]
	if ok && (string(raw) == "null" || json.Unmarshal(raw, into) != nil) {
		return fmt.Errorf("gateway: %s of the function's response is out of form", name)
	}
	return nil
}

// albHeader takes the headers of the form that the target group sends. Spellings
// of one name are values of one header.
// See https://github.com/jeremydaly/lambda-api/issues/117
func albHeader(members map[string]json.RawMessage, cfg ALBConfig) (http.Header, error) {
	name, other := "headers", "multiValueHeaders"
	if cfg.MultiValueHeaders {
		name, other = other, name
	}
	if members[name] == nil && members[other] != nil && !cfg.LoseOtherHeaders {
		return nil, fmt.Errorf("gateway: the function's response has %s, where the target group takes %s", other, name)
	}
	lists, single := map[string][]*string{}, map[string]*string{}
	var err error
	if cfg.MultiValueHeaders {
		err = albMember(members, name, &lists)
	} else {
		err = albMember(members, name, &single)
	}
	if err != nil {
		return nil, err
	}
	for name, value := range single {
		lists[name] = []*string{value}
	}
	header := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		for _, value := range lists[name] {
			if value == nil {
				return nil, fmt.Errorf("gateway: header %q of the function's response is null", name)
			}
			header.Add(name, *value)
		}
	}
	return header, checkHeader(header)
}

// writeALB adds no content type where the function named none.
func (r response) writeALB(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = nil
	for name, values := range r.header {
		if name != "Content-Length" && !slices.Contains(hopByHop, name) {
			h[name] = values
		}
	}
	hasBody := r.status != http.StatusNoContent && r.status != http.StatusNotModified
	if hasBody {
		h.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	if hasBody {
		_, _ = w.Write(r.body)
	}
}

// answerALB answers with the page that a load balancer makes.
func answerALB(w http.ResponseWriter, status int) {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}
