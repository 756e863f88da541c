package invocation

import "strings"

// CorrelationAttribute is the name of the message attribute with the correlation id.
const CorrelationAttribute = "correlationId"

// FitForHeader reports whether an id, which may come from a caller, is valid in a log
// and in a header.
func FitForHeader(id string) bool {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	return len(id) <= 128 && strings.IndexFunc(id, unfit) < 0
}
