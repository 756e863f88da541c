package httpapi

import "github.com/lambdarmor/lambdarmor/internal/jsonpeek"

// sendsLists reports whether a load balancer's target group has multi-value
// headers enabled. It then takes an answer in payload format 1.0, and otherwise
// one with a single value for each name; the other one it answers with a 502.
//
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
func sendsLists(raw []byte) bool { return jsonpeek.Lookup(raw, "multiValueHeaders") != nil }

// appendFieldsSingle has several cookies under several spellings of the name:
// joined they would be one that is malformed.
func (r *response) appendFieldsSingle(out []byte) []byte {
	out = r.appendJoined(out)
	for i, c := range r.cookies {
		if i > 0 || len(r.fields) > 0 {
			out = append(out, ',')
		}
		out = quote(out, spelling("set-cookie", i))
		out = append(out, ':')
		out = quote(out, c)
	}
	return append(out, '}')
}

// spelling is name with those letters in upper case whose bit is set in i.
func spelling(name string, i int) string {
	spelled := []byte(name)
	for at, c := range spelled {
		if 'a' <= c && c <= 'z' {
			if i&1 != 0 {
				spelled[at] -= 'a' - 'A'
			}
			i >>= 1
		}
	}
	return string(spelled)
}
