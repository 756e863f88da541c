package httpapi

import (
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// glimpse is what can be seen of a request that was refused, its body too large
// or its event malformed. It is for making the answer, whose reader may be a
// page of another origin, and for nothing else. It keeps nothing of the event,
// which may have been refused for how much there is in it.
type glimpse struct{ raw []byte }

// glimpseOf gives a request of which nothing else is known.
func glimpseOf(raw []byte) *Request { return &Request{glimpse: &glimpse{raw}} }

func (g *glimpse) format1() bool { return jsonpeek.Lookup(g.raw, "httpMethod") != nil }

// header gives the last value of a header that is a string, or of the lists of
// them the first.
func (g *glimpse) header(name string) string {
	var found []byte
	for member, headers := range jsonpeek.Members(g.raw) {
		if string(member) != "headers" && string(member) != "multiValueHeaders" {
			continue
		}
		for key, value := range jsonpeek.Members(headers) {
			if len(key) != len(name) || !fieldlines.Same(string(key), name) {
				continue
			}
			if several := jsonpeek.First(value); several != nil {
				value = jsonpeek.Value(several)
			}
			if text := jsonpeek.Text(value); text != nil {
				found = text
			}
		}
	}
	return string(found)
}
