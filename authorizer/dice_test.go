package authorizer_test

import (
	"math/rand/v2"
	"slices"
)

// dice draw what a property is tried with. A failure prints the seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) *dice { return &dice{rand.New(rand.NewPCG(seed, 0))} }

func pick[T any](d *dice, from ...T) T { return from[d.IntN(len(from))] }

// some draws one to five different ones, rather fewer than more.
func some[T any](d *dice, from []T) []T {
	from = slices.Clone(from)
	d.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:1+min(d.IntN(5), d.IntN(5), len(from)-1)]
}
