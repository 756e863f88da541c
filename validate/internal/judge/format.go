package judge

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// format returns the check of a format, nil for an unknown one, which accepts every
// string, as the drafts require.
func format(name string) func(string) bool {
	switch name {
	case "date-time":
		return isDateTime
	case "date":
		return isDate
	case "time":
		return isTime
	case "duration":
		return regexp.MustCompile(duration).MatchString
	case "hostname":
		return isHostname
	case "email":
		return isEmail
	case "ipv4", "ip-address":
		return isIPv4
	case "ipv6":
		return isIPv6
	case "uri", "iri":
		return isURI
	case "uri-reference", "uriref", "iri-reference":
		return isURIReference
	case "uri-template":
		return isURITemplate
	case "regex":
		return isRegex
	case "json-pointer":
		return regexp.MustCompile(`^` + pointer + `$`).MatchString
	case "relative-json-pointer":
		return regexp.MustCompile(`^(0|[1-9][0-9]*)(#|` + pointer + `)$`).MatchString
	case "uuid":
		return regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString
	default:
		return nil
	}
}

const (
	// https://www.rfc-editor.org/rfc/rfc6901#section-3
	pointer = `(/([^~/]|~[01])*)*`
	// https://www.rfc-editor.org/rfc/rfc3339#appendix-A
	duration = `^P([0-9]+W|(` + date + `)(T(` + clock + `))?|T(` + clock + `))$`
	date     = `[0-9]+D|[0-9]+M([0-9]+D)?|[0-9]+Y([0-9]+M([0-9]+D)?)?`
	clock    = `[0-9]+S|[0-9]+M([0-9]+S)?|[0-9]+H([0-9]+M([0-9]+S)?)?`
)

// https://www.rfc-editor.org/rfc/rfc3339#section-5.6
func isDateTime(s string) bool {
	return len(s) > 10 && (s[10] == 'T' || s[10] == 't') && isDate(s[:10]) && isTime(s[11:])
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime accepts a leap second, which is at 23:59:60 UTC.
func isTime(s string) bool {
	if len(s) < len("15:04:05Z") {
		return false
	}
	leap := s[6:8] == "60"
	if leap {
		s = s[:6] + "59" + s[8:]
	}
	if z := len(s) - 1; s[z] == 'z' {
		s = s[:z] + "Z"
	} else if s[z] != 'Z' && (s[z-4:z-2] > "23" || s[z-1:] > "59") { // time allows a little more
		return false
	}
	t, err := time.Parse("15:04:05Z07:00", s)
	if err != nil || s[2] != ':' || strings.IndexByte(s, ',') >= 0 {
		return false
	}
	return !leap || t.UTC().Format("15:04") == "23:59"
}

// https://www.rfc-editor.org/rfc/rfc1123#section-2.1
func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 || strings.HasPrefix(s, "-") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c|0x20 < 'a' || c|0x20 > 'z' {
				if c < '0' && c != '-' || c > '9' {
					return false
				}
			}
		}
	}
	return true
}

func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || at > 64 || len(s) > 254 {
		return false
	}
	domain := s[at+1:]
	if literal, ok := strings.CutPrefix(domain, "["); ok && strings.HasSuffix(literal, "]") {
		literal = literal[:len(literal)-1]
		if six, ok := strings.CutPrefix(literal, "IPv6:"); ok {
			return isIPv6(six)
		}
		return isIPv4(literal)
	}
	if !isHostname(domain) {
		return false
	}
	_, err := mail.ParseAddress(s)
	return err == nil
}

func isIPv4(s string) bool {
	return strings.IndexByte(s, ':') < 0 && net.ParseIP(s) != nil
}

func isIPv6(s string) bool {
	return strings.IndexByte(s, ':') >= 0 && net.ParseIP(s) != nil
}

func parseURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, false
	}
	if host := u.Hostname(); strings.IndexByte(host, ':') >= 0 {
		return u, strings.HasPrefix(u.Host, "[") && isIPv6(host)
	}
	return u, true
}

func isURI(s string) bool {
	u, ok := parseURL(s)
	return ok && u.IsAbs()
}

func isURIReference(s string) bool {
	_, ok := parseURL(s)
	return ok && strings.IndexByte(s, '\\') < 0
}

// isURITemplate looks for braces that do not match.
func isURITemplate(s string) bool {
	u, ok := parseURL(s)
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(u.RawPath, "/") {
		open := false
		for _, c := range segment {
			if c == '{' && open || c == '}' && !open {
				return false
			}
			open = open && c != '}' || c == '{'
		}
		if open {
			return false
		}
	}
	return true
}

func isRegex(s string) bool {
	_, err := syntax.Parse(s, syntax.Perl)
	return err == nil
}
