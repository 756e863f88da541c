package invocation

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// facts are what layers have said of the invocation.
type facts struct {
	attrs       []slog.Attr // for the record of the invocation
	route       string
	principal   string
	correlation string
	err         error // that a layer has turned into an answer
}

// Facts is what the record of the invocation says.
type Facts struct {
	Attrs            []slog.Attr
	Route, Principal string
	Err              error
}

// Facts returns what layers have said so far.
func (inv *Invocation) Facts() Facts {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return Facts{Attrs: inv.attrs, Route: inv.route, Principal: inv.principal, Err: inv.err}
}

// SetRoute sets the route of the record.
func (inv *Invocation) SetRoute(pattern string) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.route = pattern
}

// SetError sets the error of the record. One that is an answer for the platform
// does not replace the error that it was made of.
func (inv *Invocation) SetError(err error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.err == nil || !Reported(err) {
		inv.err = err
	}
}

// Reported reports whether err is an answer for the platform. It looks at err
// itself and not at its chain, as aws-lambda-go does.
func Reported(err error) bool {
	_, ok := err.(messages.InvokeResponse_Error)
	return ok
}

// SetCorrelation sets the correlation id. It ignores one that is not fit for a
// log and a header.
func (inv *Invocation) SetCorrelation(id string) {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(id) > 128 || strings.IndexFunc(id, unfit) >= 0 {
		return
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.correlation = id
}

// Correlation returns the correlation id.
func (inv *Invocation) Correlation() string {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.correlation
}

// SetPrincipal sets who calls. It returns false, and changes nothing, once
// another principal is sealed.
func (inv *Invocation) SetPrincipal(principal string) bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.sealed && inv.principal != principal {
		inv.resealed = true
		return false
	}
	inv.principal = principal
	return true
}

// Principal returns who calls.
func (inv *Invocation) Principal() string {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.principal
}

// Seal makes SetPrincipal refuse another principal from now on.
func (inv *Invocation) Seal() (principal string) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.sealed = true
	return inv.principal
}

// Intact reports whether nobody has tried to change a sealed principal.
func (inv *Invocation) Intact() bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return !inv.resealed
}

// Answered notes the status of an answer, so that nobody has to read it in the
// answer again.
func (inv *Invocation) Answered(out []byte, status int) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.answer, inv.status = out, status
}

// StatusOf returns the status that was noted for an answer.
func (inv *Invocation) StatusOf(out []byte) (status int, ok bool) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.status, len(out) > 0 && Same(inv.answer, out)
}

// Same reports whether two slices are one. Equal bytes elsewhere are not:
// comparing them would cost what sharing saves.
func Same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// AddAttrs adds attributes to the record. The last one of a key stays.
func (inv *Invocation) AddAttrs(attrs []slog.Attr) {
	attrs = inline(attrs)
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.attrs = slices.Grow(inv.attrs, len(attrs))
	for _, a := range attrs {
		if a.Key != "" {
			inv.attrs = without(inv.attrs, a.Key)
		}
		inv.attrs = append(inv.attrs, a)
	}
}

// inline replaces groups without a key by their members, as slog does.
func inline(attrs []slog.Attr) []slog.Attr {
	for i, a := range attrs {
		if a.Key != "" {
			continue
		}
		if group := a.Value.Resolve(); group.Kind() == slog.KindGroup {
			return slices.Concat(attrs[:i], inline(group.Group()), inline(attrs[i+1:]))
		}
	}
	return attrs
}

// without does not change attrs, which a record may be reading.
func without(attrs []slog.Attr, key string) []slog.Attr {
	i := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == key })
	if i < 0 {
		return attrs
	}
	return slices.Concat(attrs[:i], attrs[i+1:])
}
