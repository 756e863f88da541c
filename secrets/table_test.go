package secrets

import (
	"testing"

	"pgregory.net/rapid"
)

// The keys are few, so that they meet often.
var fewRefs = rapid.Custom(func(t *rapid.T) Ref {
	return Ref{
		Name:  rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name"),
		Stage: rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "stage"),
	}
})

func TestATableKeepsWhatWasUsedLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		table, model := newTable(limit), map[Ref]*state{}
		added, used := 0, map[Ref]int{} // how many had been added when it was last used
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				ref, s := fewRefs.Draw(t, "ref"), new(state)
				before := len(table.entries)
				_, known := model[ref]
				table.put(ref, s)
				model[ref] = s
				if known {
					return
				}
				added++
				used[ref] = added
				if before < limit {
					return
				}
				for ref := range model { // one of them has gone
					if _, kept := table.entries[ref]; !kept {
						for other := range table.entries {
							if used[other] < used[ref] {
								t.Fatalf("%v has gone, which was used after %v", ref, other)
							}
						}
						delete(model, ref)
					}
				}
			},
			"use": func(t *rapid.T) {
				ref := fewRefs.Draw(t, "ref")
				want := model[ref]
				if want == nil {
					want = unknown
				} else {
					used[ref] = added
				}
				if got := table.state(&ref); got != want {
					t.Fatalf("%v has another state", ref)
				}
			},
			"": func(t *rapid.T) {
				if len(table.entries) != len(model) || len(model) > limit {
					t.Fatalf("%d entries are kept, want %d and at most %d", len(table.entries), len(model), limit)
				}
			},
		})
	})
}
