package dynamo

import (
	"fmt"
	"time"
)

// Option changes a [Store].
type Option struct{ apply func(*Store) }

// Attributes are the names of an item's attributes. A name of "" is the default.
type Attributes struct {
	Key         string // S, the partition key; "id"
	Status      string // S, INPROGRESS or COMPLETED; "status"
	Expiration  string // N, seconds since 1970, for the table's TTL; "expiration"
	Lease       string // N, milliseconds since 1970; "in_progress_expiration"
	Data        string // S, the result, or B if it is compressed or not UTF-8; "data"
	Encoding    string // S, gzip, or missing; "encoding"
	Fingerprint string // S; "validation"
	Owner       string // S; "owner"
	Epoch       string // N; "epoch"
	Used        string // N, in the item of a quota; "used"
}

var defaultAttributes = [...]string{"id", "status", "expiration", "in_progress_expiration", "data", "encoding", "validation", "owner", "epoch", "used"}

func (a *Attributes) all() [len(defaultAttributes)]*string {
	return [...]*string{&a.Key, &a.Status, &a.Expiration, &a.Lease, &a.Data, &a.Encoding, &a.Fingerprint, &a.Owner, &a.Epoch, &a.Used}
}

// Names sets the names of the attributes, for an existing table.
func Names(a Attributes) Option {
	seen := make(map[string]bool)
	for i, name := range a.all() {
		if *name == "" {
			*name = defaultAttributes[i]
		}
		if seen[*name] {
			panic(fmt.Sprintf("dynamo: Names with %q twice", *name))
		}
		seen[*name] = true
	}
	return Option{func(s *Store) { s.attr = a }}
}

// SortKey is for a table with a sort key. The record's key is stored in the
// attribute name, and the partition key is always partition. One partition takes
// 1000 writes a second.
func SortKey(name, partition string) Option {
	if name == "" || partition == "" {
		panic("dynamo: SortKey without a name or a partition")
	}
	return Option{func(s *Store) { s.sortKey, s.partition = name, partition }}
}

// CompressFrom sets the size in bytes from which results are compressed. The
// default is 4096. Other libraries that share the table cannot read compressed
// results.
func CompressFrom(bytes int) Option {
	if bytes < 0 {
		panic(fmt.Sprintf("dynamo: CompressFrom(%d), must not be negative", bytes))
	}
	return Option{func(s *Store) { s.compressFrom = bytes }}
}

// Clock sets the clock that leases and expiries are judged by, for tests. The
// default is time.Now.
func Clock(now func() time.Time) Option {
	if now == nil {
		panic("dynamo: Clock with a nil function")
	}
	return Option{func(s *Store) { s.clock = now }}
}
