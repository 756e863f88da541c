package sigv4

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var (
	errPath   = reason.New(`sigv4: the path has an empty segment, "." or "..", for which signatures differ`)
	errQuery  = reason.New("sigv4: the query is malformed")
	errOpaque = reason.New("sigv4: the URL is opaque")
)

// escape changes the path and the query of u to the form that SigV4 signs. They mean the
// same as before: each segment and each parameter is decoded and encoded again.
func escape(u *url.URL) error {
	if u.Opaque != "" {
		return errOpaque
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		edge := i == 0 || i == len(segments)-1
		if err != nil || text == "" && !edge || text == "." || text == ".." {
			return errPath
		}
		segments[i] = encode(text)
	}
	u.RawPath = strings.Join(segments, "/")
	query, err := encodeQuery(u.RawQuery)
	u.RawQuery = query
	return err
}

// encodeQuery keeps the order of the parameters.
func encodeQuery(query string) (string, error) {
	var all []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return "", errQuery
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return "", errQuery
		}
		all = append(all, encode(name)+"="+encode(value))
	}
	return strings.Join(all, "&"), nil
}

// encode escapes what is not unreserved in RFC 3986.
func encode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
