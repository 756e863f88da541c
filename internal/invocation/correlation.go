package invocation

import "strings"

// CorrelationAttribute is the name of the message attribute with the correlation id.
const CorrelationAttribute = "correlationId"

// FitForHeader reports whether an id, which may come from a caller, is valid in a log
// and in a header.
func FitForHeader(id string) bool { return fit(id, 128) }

// fit reports whether an id is at most so long and has only visible ASCII characters.
func fit(id string, longest int) bool {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	return len(id) <= longest && strings.IndexFunc(id, unfit) < 0
}
