package authorizer

import (
	"slices"
	"sync"
)

// place is a part of a request that a decision can depend on.
type place struct {
	kind placeKind
	name string // of a header or a query value
}

type placeKind uint8

const (
	inHeader placeKind = iota
	inQuery
	inStage // a stage variable
	inRouteKey
	inMethod
	inPath
	inDomain // may put a base path in front of the path
	inSourceIP
	inClientCert
	inTablePath // the path, for Routes alone
	inPathValue // of a greedy parameter
	inOperation
)

// read is a place that was looked at, and what was there.
type read struct {
	place
	value string
	// optional: only by checks that failed inside Any, and a client can leave it
	// out. Such a read counts only if an edge sets the header.
	optional bool
}

// reads is what a decision has looked at, and the tables of Routes that it went
// through.
type reads struct {
	mu     sync.Mutex // guards all below
	all    []read
	tables []*routeTable
}

func (t *reads) add(r read) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.all, func(o read) bool { return o.place == r.place })
	if i < 0 {
		t.all = append(t.all, r)
	} else if t.all[i].optional {
		t.all[i] = r
	}
}

func (t *reads) addTable(table *routeTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.tables, table) {
		t.tables = append(t.tables, table)
	}
}

// snapshot returns what was read so far: a check may have left a goroutine behind.
func (t *reads) snapshot() ([]read, []*routeTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all), slices.Clone(t.tables)
}

// addAll adds what another record has. In the record of a failed check inside Any,
// what a client can leave out becomes optional.
func (t *reads) addAll(other *reads, failed bool) {
	all, tables := other.snapshot()
	for _, r := range all {
		r.optional = r.optional || failed && (r.kind == inHeader || r.kind == inQuery || r.kind == inClientCert)
		t.add(r)
	}
	for _, table := range tables {
		t.addTable(table)
	}
}

// fork returns the same request with a record of its own.
func (r *Request) fork() *Request {
	forked := *r
	forked.reads = new(reads)
	return &forked
}

// memo keeps what a credential was found to be, for one decision: [Policy] asks a
// check about many routes, and the credential is the same.
type memo struct{ answers sync.Map }

type answer struct {
	grant *Grant
	err   error
}

// once returns the answer that find has returned for the key before, if there is one.
func (r *Request) once(key any, find func() (*Grant, error)) (*Grant, error) {
	if a, ok := r.memo.answers.Load(key); ok {
		return a.(answer).grant, a.(answer).err
	}
	g, err := find()
	r.memo.answers.Store(key, answer{g, err})
	return g, err
}
