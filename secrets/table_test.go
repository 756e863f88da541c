package secrets

import (
	"testing"

	"pgregory.net/rapid"
)

// The keys are few, so that they share buckets and names.
var fewRefs = rapid.Custom(func(t *rapid.T) Ref {
	return Ref{
		Name:  rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name"),
		Stage: rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "stage"),
	}
})

func TestATableHasWhatWasPutAndNeitherRemovedNorEvicted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		table, model := newTable(limit), map[Ref]*state{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				ref, s := fewRefs.Draw(t, "ref"), new(state)
				table.put(ref, s)
				model[ref] = s
			},
			"use": func(t *rapid.T) {
				ref := fewRefs.Draw(t, "ref")
				_ = table.state(&ref)
			},
			"remove": func(t *rapid.T) {
				ref := fewRefs.Draw(t, "ref")
				if e := table.find(&ref); e != nil {
					table.remove(e)
				}
				delete(model, ref)
			},
			"": func(t *rapid.T) {
				kept := 0
				for ref, s := range model {
					switch e := table.find(&ref); {
					case e == nil:
						delete(model, ref) // evicted
					case e.state.Load() != s:
						t.Fatalf("%v has another state", ref)
					default:
						kept++
					}
				}
				if kept != len(table.ring) || kept > limit {
					t.Fatalf("%d are found of %d, at most %d", kept, len(table.ring), limit)
				}
				for i, e := range table.ring {
					if e.place != i || table.find(&e.ref) != e {
						t.Fatalf("%v is not where it says", e.ref)
					}
				}
			},
		})
	})
}
