package source

// A Filter judges a record of an event. One about which it returns an error does not
// match.
type Filter interface {
	Match(record []byte) (bool, error)
}
