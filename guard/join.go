package guard

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// joinLines gives headers the form of format 2.0: lower-case names, the values
// of each joined. They come in lists, or else one by one.
func joinLines(lists map[string][]string, ones map[string]string) map[string]string {
	if len(lists) == 0 {
		return fieldlines.Map(fieldlines.Lines(ones))
	}
	lines := make([]fieldlines.Line, 0, len(lists))
	for name, values := range lists {
		for _, value := range values {
			lines = append(lines, fieldlines.Line{Name: name, Value: value})
		}
	}
	return fieldlines.Map(lines)
}

// takeCookies takes the cookies out of headers in that form.
func takeCookies(headers map[string]string) []string {
	var cookies []string
	for c := range strings.SplitSeq(headers["cookie"], ";") {
		if c = strings.TrimSpace(c); c != "" {
			cookies = append(cookies, c)
		}
	}
	delete(headers, "cookie")
	return cookies
}

// joinValues gives a query the form of format 2.0, nil where there is none.
func joinValues(query url.Values) map[string]string {
	if len(query) == 0 {
		return nil
	}
	joined := make(map[string]string, len(query))
	for name, values := range query {
		joined[name] = strings.Join(values, ",")
	}
	return joined
}
