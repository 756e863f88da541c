package dynamo

import (
	"fmt"
	"time"
)

// Option changes a [Store].
type Option func(*Store)

// Attributes are the names of an item's attributes. A name that is "" is the
// default.
type Attributes struct {
	Key         string // S, the partition key; "id"
	Status      string // S, INPROGRESS or COMPLETED; "status"
	Expiration  string // N, seconds since 1970, for the table's TTL; "expiration"
	Lease       string // N, milliseconds since 1970; "in_progress_expiration"
	Data        string // S, the result, or B where it is compressed or not UTF-8; "data"
	Encoding    string // S, gzip, or not there; "encoding"
	Fingerprint string // S; "validation"
	Owner       string // S; "owner"
	Epoch       string // N; "epoch"
}

var defaultAttributes = [...]string{"id", "status", "expiration", "in_progress_expiration", "data", "encoding", "validation", "owner", "epoch"}

func (a *Attributes) all() [len(defaultAttributes)]*string {
	return [...]*string{&a.Key, &a.Status, &a.Expiration, &a.Lease, &a.Data, &a.Encoding, &a.Fingerprint, &a.Owner, &a.Epoch}
}

// Names gives the attributes other names, for a table that exists.
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
	return func(s *Store) { s.attr = a }
}

// SortKey is for a table with a sort key: the record's key goes into the
// attribute of that name, which is none of [Attributes], and the partition key is
// always partition. One partition takes 1000 writes a second.
func SortKey(name, partition string) Option {
	if name == "" || partition == "" {
		panic("dynamo: SortKey without a name or a partition")
	}
	return func(s *Store) { s.sortKey, s.partition = name, partition }
}

// CompressFrom sets from how many bytes on a result is compressed, 4096 when it
// is not set. Other libraries that share the table cannot read what is
// compressed.
func CompressFrom(bytes int) Option {
	if bytes < 0 {
		panic(fmt.Sprintf("dynamo: CompressFrom(%d)", bytes))
	}
	return func(s *Store) { s.compressFrom = bytes }
}

// Clock sets the clock that leases and expiries are judged by, for tests. The
// default is time.Now.
func Clock(now func() time.Time) Option {
	if now == nil {
		panic("dynamo: Clock with a nil function")
	}
	return func(s *Store) { s.clock = now }
}
