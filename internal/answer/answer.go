// Package answer reads and writes HTTP responses in the form that the sender of an
// event takes: API Gateway, a function URL, a load balancer or VPC Lattice. The
// log, replays, validation and package httpapi all use it, so that none of them
// reads an answer in its own way.
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
	Fields  []Field // in order; a name may be there several times
	Cookies []string
	Body    []byte
	Whole   bool      // it was read from an answer that is a body alone
	room    [10]Field // for Fields: as many as most responses have
}

// New returns an answer without headers.
func New(status int) *Answer {
	a := &Answer{Status: status}
	a.Fields = a.room[:0]
	return a
}

// Form is the form of an answer that the sender of the event takes.
type Form byte

// The forms.
const (
	Format2 Form = iota // payload format 2.0
	Format1             // payload format 1.0
	Lattice             // VPC Lattice
	Single              // a load balancer that takes one value for each header
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

// Unsendable reports whether only the gateway may set a header. Such headers are
// about the connection to the client or the length of the body (RFC 9110, sections
// 6.6.2 and 7.6.1).
func Unsendable(name string) bool {
	switch name {
	case "connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade":
		return true
	default:
		return false
	}
}

// AddHeader adds the headers of h in the order of their names, without those that
// are [Unsendable].
func (a *Answer) AddHeader(h http.Header) {
	for name, values := range h {
		for _, value := range values {
			a.add(strings.ToLower(name), value)
		}
	}
	a.sort()
}

func (a *Answer) add(name, value string) {
	switch {
	case name == "set-cookie":
		a.Cookies = append(a.Cookies, value)
	case !Unsendable(name):
		a.Fields = append(a.Fields, Field{name, value})
	}
}

func (a *Answer) has(name, value string) bool {
	return slices.Contains(a.Fields, Field{name, value}) || name == "set-cookie" && slices.Contains(a.Cookies, value)
}

func (a *Answer) sort() {
	slices.SortStableFunc(a.Fields, func(x, y Field) int { return strings.Compare(x.Name, y.Name) })
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

// Del removes a header.
func (a *Answer) Del(name string) {
	a.Fields = slices.DeleteFunc(a.Fields, func(f Field) bool { return f.Name == name })
}

// Bodiless reports whether a response of a status has no body (RFC 9110, section
// 6.4.1).
func Bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// Valid reports whether name and value are valid for a header.
func (f Field) Valid() bool { return ValidName(f.Name) && ValidValue(f.Value) }

// ValidValue reports whether a value is UTF-8 and has no control character but the
// tab (RFC 9110, section 5.5).
func ValidValue(value string) bool {
	isControl := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	return utf8.ValidString(value) && !strings.ContainsFunc(value, isControl)
}

// ValidName reports whether a name is a token (RFC 9110, section 5.6.2).
func ValidName(name string) bool {
	outside := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }
	return name != "" && !strings.ContainsFunc(name, outside)
}
