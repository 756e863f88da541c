// Package answer reads and writes what a handler returns for an HTTP request:
// its status, headers, cookies and body, in the form that whoever sent the event
// takes. The log, replays, validation and package httpapi all ask here, so that
// none of them reads an answer in a way of its own.
package answer

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Field is a header with one value; the name is in lower case.
type Field struct{ Name, Value string }

// Answer is an HTTP response.
type Answer struct {
	Status  int
	Fields  []Field // in order, a name perhaps several times
	Cookies []string
	Body    []byte
	Whole   bool      // read from an answer that is a body alone
	room    [10]Field // for Fields, as many as most responses have
}

// New returns an answer without headers.
func New(status int) *Answer {
	a := &Answer{Status: status}
	a.Fields = a.room[:0]
	return a
}

// Form is what an answer has to look like for what sent the event.
type Form byte

// The forms.
const (
	Format2 Form = iota // payload format 2.0
	Format1             // payload format 1.0
	Lattice             // VPC Lattice
	Single              // a load balancer that does not take lists
	Lists               // a load balancer that takes lists
)

// request is what the form of an answer depends on.
type request[T ~string] interface {
	Trigger() T
	Version() string // of the payload format
	Lists() bool     // headers or parameters came as lists of values
}

// FormOf returns the form that a request asks for. A load balancer sends lists of
// values if its target group has multi-value headers enabled, and then takes
// nothing else: it answers the other form with a 502.
//
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
func FormOf[T ~string](r request[T]) Form {
	switch trigger := r.Trigger(); {
	case trigger == "vpc-lattice":
		return Lattice
	case trigger == "alb" && r.Lists():
		return Lists
	case trigger == "alb":
		return Single
	case r.Version() == "1.0":
		return Format1
	default:
		return Format2
	}
}

// Unsendable reports whether a header is about the connection to the client and
// the length of what is sent there: the gateway's to set (RFC 9110, sections
// 6.6.2 and 7.6.1).
func Unsendable(name string) bool {
	switch name {
	case "connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade":
		return true
	default:
		return false
	}
}

// AddHeader adds what h holds, in the order of its names, but for what is
// [Unsendable].
func (a *Answer) AddHeader(h http.Header) {
	if len(h) == 0 {
		return
	}
	start := len(a.Fields)
	for name, values := range h {
		name = strings.ToLower(name)
		switch {
		case name == "set-cookie":
			a.Cookies = append(a.Cookies, values...)
			continue
		case Unsendable(name):
			continue
		}
		for _, value := range values {
			a.Fields = append(a.Fields, Field{name, value})
		}
	}
	slices.SortStableFunc(a.Fields[start:], func(x, y Field) int { return strings.Compare(x.Name, y.Name) })
}

// Get returns the first value of a lower-case name.
func (a *Answer) Get(name string) (string, bool) {
	for _, f := range a.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// Set sets a header to one value.
func (a *Answer) Set(name, value string) {
	a.Del(name)
	a.Fields = append(a.Fields, Field{name, value})
}

// SetDefault sets a header that is not there.
func (a *Answer) SetDefault(name, value string) {
	if _, ok := a.Get(name); !ok {
		a.Fields = append(a.Fields, Field{name, value})
	}
}

// Del takes a header out.
func (a *Answer) Del(name string) {
	a.Fields = slices.DeleteFunc(a.Fields, func(f Field) bool { return f.Name == name })
}

// Bodiless reports whether a response of a status has no body (RFC 9110, section
// 6.4.1).
func Bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// Valid reports whether the field is one.
func (f Field) Valid() bool { return ValidName(f.Name) && ValidValue(f.Value) }

// ValidValue reports whether value has no control characters but tabs (RFC 9110,
// section 5.5), and can be told in JSON.
func ValidValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(value)
}

// ValidName reports whether name is a token (RFC 9110, section 5.6.2).
func ValidName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}
