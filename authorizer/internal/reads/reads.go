// Package reads records which parts of a request a decision reads, and checks whether
// the gateway's cache stores decisions separately by them.
package reads

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/routekey"
)

// Place is a part of a request that a decision can depend on.
type Place struct {
	Kind Kind
	Name string // of a header or a query value
}

// Kind is a kind of place.
type Kind uint8

// The kinds.
const (
	Header Kind = iota
	Query
	StageVariable
	RouteKey
	Method
	Path
	Domain // may put a base path in front of the path
	SourceIP
	ClientCert
	TablePath // the path, for Routes alone
	PathValue // of a greedy parameter
	Operation // of GraphQL
)

// Read is a place that was looked at, and what was there.
type Read struct {
	Place
	Value string
	// optional: a client can leave it out, and only checks that failed inside Any
	// have read it. Such a read counts only if an edge sets the header.
	optional bool
}

// PerRoute reports whether a check with a table of routes runs for each value of the
// place.
func (r Read) PerRoute() bool {
	return r.Kind == RouteKey || r.Kind == Method || r.Kind == TablePath || r.Kind == Domain
}

// Record is what a decision has read.
type Record struct {
	mu     sync.Mutex // guards all below
	reads  []Read
	tables map[any][]*routekey.Route // the routes of tables that were used
}

// Add adds a read.
func (r *Record) Add(read Read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.reads, func(o Read) bool { return o.Place == read.Place })
	if i < 0 {
		r.reads = append(r.reads, read)
	} else if r.reads[i].optional {
		r.reads[i] = read
	}
}

// AddTable adds a table that the decision went through, and its routes.
func (r *Record) AddTable(table any, routes []*routekey.Route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tables == nil {
		r.tables = make(map[any][]*routekey.Route)
	}
	r.tables[table] = routes
}

// AddTables adds the tables of another record.
func (r *Record) AddTables(other *Record) {
	other.mu.Lock()
	tables := maps.Clone(other.tables)
	other.mu.Unlock()
	for table, routes := range tables {
		r.AddTable(table, routes)
	}
}

// Routes returns the routes of all tables, one for each shape, and false if there was no
// table.
func (r *Record) Routes() ([]*routekey.Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*routekey.Route
	for _, routes := range r.tables {
		all = append(all, routes...)
	}
	slices.SortFunc(all, func(a, b *routekey.Route) int {
		return cmp.Or(strings.Compare(a.Shape(), b.Shape()), strings.Compare(a.Key, b.Key))
	})
	all = slices.CompactFunc(all, func(a, b *routekey.Route) bool { return a.Shape() == b.Shape() })
	return all, len(r.tables) > 0
}

// AddAll adds the reads of another record. If that record belongs to a failed check
// inside Any, reads that a client can leave out become optional.
func (r *Record) AddAll(other *Record, failed bool) {
	for _, read := range other.all() {
		read.optional = read.optional || failed && (read.Kind == Header || read.Kind == Query || read.Kind == ClientCert)
		r.Add(read)
	}
	r.AddTables(other)
}

func (r *Record) all() []Read {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reads)
}
