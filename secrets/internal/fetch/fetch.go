// Package fetch is what the sources' ways to fetch have in common: several
// requests at a time, each ref once, and no answer in an error.
package fetch

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Concurrently runs requests, at most atOnce of them at a time, and returns when
// none is under way any more. A panic of one is that of the caller, who may
// recover; others may not have run then.
func Concurrently(atOnce int, requests []func()) {
	var taken atomic.Int64
	var once sync.Once
	var panicked any
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { panicked = r })
			}
		}()
		for i := taken.Add(1) - 1; i < int64(len(requests)); i = taken.Add(1) - 1 {
			requests[i]()
		}
	}
	var others sync.WaitGroup
	for range min(atOnce, len(requests)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	if panicked != nil {
		panic(panicked)
	}
}

// Distinct has each of refs fetched once, though it may be there several times,
// and gives the values in the order of refs, none of them the memory of another.
func Distinct(refs []secrets.Ref, fetch func(distinct []secrets.Ref) []secrets.Value) []secrets.Value {
	places := make(map[secrets.Ref]int, len(refs)) // ref → its place in distinct
	distinct := make([]secrets.Ref, 0, len(refs))
	for _, ref := range refs {
		if _, known := places[ref]; !known {
			places[ref] = len(distinct)
			distinct = append(distinct, ref)
		}
	}
	values := fetch(distinct)
	given := make([]bool, len(distinct))
	out := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		place := places[ref]
		out[i] = values[place]
		if given[place] {
			out[i].Data = bytes.Clone(out[i].Data)
		}
		given[place] = true
	}
	return out
}

// Each fetches every distinct one of refs by itself, at most atOnce of them at a
// time, and gives the values in the order of refs.
func Each(refs []secrets.Ref, atOnce int, fetch func(secrets.Ref) secrets.Value) []secrets.Value {
	return Distinct(refs, func(distinct []secrets.Ref) []secrets.Value {
		values := make([]secrets.Value, len(distinct))
		requests := make([]func(), len(distinct))
		for i, ref := range distinct {
			requests[i] = func() { values[i] = fetch(ref) }
		}
		Concurrently(atOnce, requests)
		return values
	})
}
