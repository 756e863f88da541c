package judge

import (
	"net"
	"net/mail"
	"net/url"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
)

// format returns the check of a format, nil for an unknown one: that asserts
// nothing, as the drafts have it.
func format(name string) func(string) bool {
	switch name {
	case "date-time":
		return isDateTime
	case "date":
		return isDate
	case "time":
		return isTime
	case "duration":
		return isDuration
	case "period":
		return isPeriod
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
		return isJSONPointer
	case "relative-json-pointer":
		return isRelativeJSONPointer
	case "uuid":
		return isUUID
	default:
		return nil
	}
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// https://www.rfc-editor.org/rfc/rfc3339#section-5.6
func isDateTime(s string) bool {
	return len(s) > 10 && (s[10] == 'T' || s[10] == 't') && isDate(s[:10]) && isTime(s[11:])
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime knows leap seconds, which the package time does not.
func isTime(s string) bool {
	if len(s) < len("15:04:05Z") {
		return false
	}
	minute, ok := minuteOf(s[:5])
	seconds := s[6:8]
	if !ok || s[5] != ':' || !digits(seconds) || seconds > "60" {
		return false
	}
	zone := s[8:]
	if fraction, ok := strings.CutPrefix(zone, "."); ok {
		zone = strings.TrimLeft(fraction, "0123456789")
		if zone == fraction {
			return false
		}
	}
	if zone != "Z" && zone != "z" {
		if len(zone) != len("+01:00") || zone[0] != '+' && zone[0] != '-' {
			return false
		}
		offset, ok := minuteOf(zone[1:])
		if !ok {
			return false
		}
		if zone[0] == '+' {
			offset = -offset
		}
		minute = (minute + offset + minutesPerDay) % minutesPerDay
	}
	return seconds < "60" || minute == minutesPerDay-1
}

const minutesPerDay = 24 * 60

// minuteOf reads hours and minutes.
func minuteOf(s string) (minute int, ok bool) {
	hours, minutes, _ := strings.Cut(s, ":")
	if len(hours) != 2 || len(minutes) != 2 || !digits(hours) || !digits(minutes) || hours > "23" || minutes > "59" {
		return 0, false
	}
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	return h*60 + m, true
}

// https://www.rfc-editor.org/rfc/rfc3339#appendix-A
func isDuration(s string) bool {
	s, ok := strings.CutPrefix(s, "P")
	date, clock, hasClock := strings.Cut(s, "T")
	dateUnits, okDate := units(date)
	clockUnits, okClock := units(clock)
	switch {
	case !ok || !okDate || !okClock || hasClock != (clockUnits != ""):
		return false
	case dateUnits == "W":
		return !hasClock
	default:
		return dateUnits+clockUnits != "" && strings.Contains("YMD", dateUnits) && strings.Contains("HMS", clockUnits)
	}
}

// units returns the letters of a text like 1Y2M.
func units(s string) (letters string, ok bool) {
	for s != "" {
		rest := strings.TrimLeft(s, "0123456789")
		if rest == s || rest == "" || len(letters) == len("YMD") {
			return "", false
		}
		letters, s = letters+rest[:1], rest[1:]
	}
	return letters, true
}

func isPeriod(s string) bool {
	start, end, ok := strings.Cut(s, "/")
	return ok && (isDateTime(start) && (isDateTime(end) || isDuration(end)) || isDuration(start) && isDateTime(end))
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

func isJSONPointer(s string) bool {
	rest := strings.NewReplacer("~0", "", "~1", "").Replace(s)
	return (s == "" || s[0] == '/') && strings.IndexByte(rest, '~') < 0
}

func isRelativeJSONPointer(s string) bool {
	rest := strings.TrimLeft(s, "0123456789")
	if rest == s || s[0] == '0' && len(s)-len(rest) > 1 {
		return false
	}
	return rest == "#" || isJSONPointer(rest)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if strings.IndexByte("0123456789abcdefABCDEF", s[i]) < 0 {
			return false
		}
	}
	return true
}
