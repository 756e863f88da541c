package guard

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// shortestScrubbed is the length from which a value is looked for in an error
// text. Shorter ones would be found in any sentence.
const shortestScrubbed = 4

// scrub takes out of an error's text the values that the request brought:
// strconv, url, time and many more quote what they could not read. It knows
// the leaves of a JSON body or the whole of another one, query values, cookies,
// and the headers that are the caller's own to fill; and of an event that is
// no HTTP request and no batch of AWS's, the leaves of its tree.
func scrub(text string, ev *Event) string {
	if text == "" {
		return ""
	}
	s := &scrubber{text: text}
	switch trigger := ev.Trigger(); {
	case trigger.IsHTTP():
		s.request(ev)
	case trigger == Unknown:
		if tree, err := ev.Tree(); err == nil {
			s.leaves(tree)
		}
	}
	return s.result()
}

type scrubber struct {
	text  string
	found []string // values in it
}

// value looks for one value, plain and as %q writes it.
func (s *scrubber) value(v string) {
	if len(v) < shortestScrubbed || len(v) > len(s.text) {
		return
	}
	if strings.Contains(s.text, v) {
		s.found = append(s.found, v)
	}
	quoted := strconv.Quote(v)
	if quoted = quoted[1 : len(quoted)-1]; quoted != v && strings.Contains(s.text, quoted) {
		s.found = append(s.found, quoted)
	}
}

// result takes the values out, the longest first, as one may hold another.
func (s *scrubber) result() string {
	slices.SortFunc(s.found, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, v := range s.found {
		s.text = strings.ReplaceAll(s.text, v, redacted)
	}
	return s.text
}

func (s *scrubber) leaves(tree any) {
	switch v := tree.(type) {
	case string:
		s.value(v)
	case json.Number:
		s.value(v.String())
	case map[string]any:
		for _, child := range v {
			s.leaves(child)
		}
	case []any:
		for _, child := range v {
			s.leaves(child)
		}
	}
}

func (s *scrubber) request(ev *Event) {
	req, err := ev.HTTP()
	if err != nil {
		return
	}
	if tree, err := ev.BodyTree(); err == nil {
		s.leaves(tree)
	} else if body, err := ev.Body(); err == nil {
		s.value(string(body))
	}
	query, _ := url.ParseQuery(req.RawQueryString)
	for _, values := range query {
		for _, v := range values {
			s.value(v)
		}
	}
	for _, cookie := range req.Cookies {
		_, v, _ := strings.Cut(cookie, "=")
		s.value(v)
	}
	for name, v := range req.Headers {
		if !gatewayHeader(strings.ToLower(name)) {
			s.value(v)
			_, credential, _ := strings.Cut(v, " ") // the scheme in front is no secret
			s.value(credential)
		}
	}
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
