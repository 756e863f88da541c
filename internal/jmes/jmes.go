// Package jmes keeps what the JMESPath library does with an odd event from
// whoever evaluates an expression.
package jmes

// Evaluate runs one evaluation. It reports false where that has an error, whose
// text would repeat values of the event, and where it panics: contains, for one,
// compares what an event may make incomparable.
func Evaluate(run func() (any, error)) (found any, ok bool) {
	defer func() {
		if recover() != nil {
			found, ok = nil, false
		}
	}()
	found, err := run()
	if err != nil {
		return nil, false
	}
	return found, true
}
