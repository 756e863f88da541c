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

// Params returns the query as the gateway has taken it apart, each name once
// and in the order of the event.
func (r *Request) Params() []Param {
	of := query
	if r.has(multiValueQuery) {
		of = multiValueQuery
	}
	var all []Param
	at := map[string]int{} // name → where it is in all
	for _, p := range r.pairs {
		if p.of != of {
			continue
		}
		name, value := unquote(r.slice(p.name)), unquote(r.slice(p.value))
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

// Query returns the values of the query string: of the string itself where the
// event has it, for a value may have a comma in it.
func (r *Request) Query() url.Values {
	raw := r.text(rawQueryString)
	if r.trigger == VPCLattice {
		_, raw, _ = strings.Cut(r.text(path), "?")
	}
	if raw != "" {
		values, _ := url.ParseQuery(raw) // what can be read of it
		return values
	}
	values := url.Values{}
	for _, p := range r.Params() {
		values[p.Name] = p.Values
	}
	return values
}

// joinQuery makes the query string of a load balancer, whose values are as
// they were sent.
func (r *Request) joinQuery() string {
	of := query
	if r.has(multiValueQuery) {
		of = multiValueQuery
	}
	var parts []string
	for _, p := range r.pairs {
		if p.of == of {
			parts = append(parts, unquote(r.slice(p.name))+"="+unquote(r.slice(p.value)))
		}
	}
	return strings.Join(parts, "&")
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
