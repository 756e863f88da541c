package httpapi

import (
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// glimpse is what can be seen of a request that was refused, its body too large
// or its event malformed. It is for making the answer, whose reader may be a
// page of another origin, and for nothing else.
type glimpse struct {
	format1 bool
	headers map[string]string // names in lower case
}

// glimpseOf gives a request of which nothing else is known.
func glimpseOf(raw []byte) *Request {
	g := &glimpse{headers: map[string]string{}}
	for name, value := range jsonpeek.Members(raw) {
		switch string(name) {
		case "httpMethod":
			g.format1 = true
		case "headers", "multiValueHeaders":
			g.add(value)
		}
	}
	return &Request{glimpse: g}
}

func (g *glimpse) add(raw []byte) {
	for name, value := range jsonpeek.Members(raw) {
		if several := jsonpeek.First(value); several != nil {
			value = jsonpeek.Value(several)
		}
		if text := jsonpeek.Text(value); text != nil {
			g.headers[fieldlines.Key(string(name))] = string(text)
		}
	}
}
