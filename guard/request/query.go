package request

import (
	"net/url"
	"strings"
)

// Param is a name in the query, with its values.
type Param struct {
	Name   string
	Values []string
}

// queryMember returns where the query is. Lists of values say more.
func (r *Request) queryMember() member {
	if r.has(multiValueQuery) {
		return multiValueQuery
	}
	return query
}

// Params returns the query as the gateway has taken it apart, each name once and
// in the order of the event.
func (r *Request) Params() []Param {
	var all []Param
	at := map[string]int{} // name → where it is in all
	for name, value := range r.all(r.queryMember()) {
		if r.trigger == ALB { // which does not decode
			name, value = unescaped(name), unescaped(value)
		}
		i, ok := at[name]
		if !ok {
			i = len(all)
			at[name], all = i, append(all, Param{Name: name})
		}
		all[i].Values = append(all[i].Values, value)
	}
	return all
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// Query returns the values of the query string. They are read from the string
// itself if the event has it: values that a gateway has joined by a comma cannot be
// separated again.
func (r *Request) Query() url.Values {
	if raw, ok := r.sentQuery(); ok {
		values, _ := url.ParseQuery(raw) // what can be read of it
		return values
	}
	values := url.Values{}
	for _, p := range r.Params() {
		values[p.Name] = p.Values
	}
	return values
}

// RawQuery returns the query string: as it was sent if the event has it, else
// made from its values.
func (r *Request) RawQuery() string {
	if r.trigger == ALB { // whose values are as they were sent
		var parts []string
		for name, value := range r.all(r.queryMember()) {
			parts = append(parts, name+"="+value)
		}
		return strings.Join(parts, "&")
	}
	if raw, ok := r.sentQuery(); ok {
		return raw
	}
	return r.Query().Encode()
}

// sentQuery returns the query string that the event has. ok is false if it has
// none.
func (r *Request) sentQuery() (raw string, ok bool) {
	if r.trigger == VPCLattice {
		_, raw, ok = strings.Cut(r.text(path), "?")
		return raw, ok
	}
	raw = r.text(rawQueryString)
	return raw, raw != ""
}
