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
	inDomain    // which may put a base path in front
	inStage
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
	missed []read // by checks that failed inside Any, of what a client may send
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

func (t *reads) routeTables() []*routeTable {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tables
}

func (t *reads) has(kind placeKind) bool {
	return slices.ContainsFunc(t.list(), func(r read) bool { return r.kind == kind })
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
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missed = append(t.missed, others.missed...)
}

// ofCall returns those reads that a client cannot do without by sending less,
// and the others as missed.
func (t *reads) ofCall() *reads {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &reads{tables: t.tables, missed: slices.Clone(t.missed)}
	for _, r := range t.all {
		if r.kind == inHeader || r.kind == inQuery || r.kind == inClientCert {
			out.missed = append(out.missed, r)
		} else {
			out.all = append(out.all, r)
		}
	}
	return out
}

// withEdge returns all that a decision depends on where an edge sets headers.
func (t *reads) withEdge(headers []string) []read {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(t.all)
	for _, r := range t.missed {
		if r.kind == inHeader && slices.Contains(headers, r.name) && !slices.ContainsFunc(all, func(o read) bool { return o.place == r.place }) {
			all = append(all, r)
		}
	}
	return all
}

// fork returns the same request, with a record of its own.
func (r *Request) fork() *Request {
	attempt := *r
	attempt.reads = new(reads)
	return &attempt
}

// memo keeps what a credential was found to be, for as long as one decision
// lasts: [Policy] asks a check about many routes, and the credential is the same.
type memo struct {
	mu  sync.Mutex // guards all below
	all map[any]answer
}

type answer struct {
	grant *Grant
	err   error
}

// once returns what find has returned for the key before, in this decision.
func (r *Request) once(key any, find func() (*Grant, error)) (*Grant, error) {
	if r.memo == nil {
		return find()
	}
	r.memo.mu.Lock()
	a, ok := r.memo.all[key]
	r.memo.mu.Unlock()
	if ok {
		return a.grant, a.err
	}
	a.grant, a.err = find()
	r.memo.mu.Lock()
	defer r.memo.mu.Unlock()
	if r.memo.all == nil {
		r.memo.all = make(map[any]answer)
	}
	r.memo.all[key] = a
	return a.grant, a.err
}
