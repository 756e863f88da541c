package authorizer

import (
	"slices"
	"sync"
)

// place is a part of a request that a decision can depend on.
type place struct {
	kind placeKind
	name string // of a header, a query value or a path value
}

type placeKind uint8

const (
	inHeader placeKind = iota
	inQuery
	inRouteKey
	inMethod
	inPath
	inPathValue
	inSourceIP
	inClientCert
	inOperation
	inTablePath // the path, for the route table alone
)

// read is a place that was looked at, and what was there.
type read struct {
	place
	value string
}

// reads are what a decision has looked at, and the route tables that it went
// through.
type reads struct {
	mu     sync.Mutex // guards all below
	all    []read
	tables []*routeTable
}

func (t *reads) note(p place, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.all {
		if t.all[i].place == p {
			return
		}
	}
	t.all = append(t.all, read{p, value})
}

func (t *reads) noteTable(table *routeTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.tables, table) {
		t.tables = append(t.tables, table)
	}
}

func (t *reads) list() []read {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

// add takes over what others have looked at.
func (t *reads) add(others *reads) {
	others.mu.Lock()
	defer others.mu.Unlock()
	for _, r := range others.all {
		t.note(r.place, r.value)
	}
	for _, table := range others.tables {
		t.noteTable(table)
	}
}

// fork gives the same request, which remembers on its own what it is asked.
func (r *Request) fork() *Request {
	return &Request{in: r.in, reads: new(reads), as: r.as}
}
