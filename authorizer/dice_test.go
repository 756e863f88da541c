package authorizer_test

import (
	"math/rand/v2"
	"slices"
)

// dice draw what a property is tried with. A failure prints the seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) *dice { return &dice{rand.New(rand.NewPCG(seed, 0))} }

func pick[T any](d *dice, from ...T) T { return from[d.IntN(len(from))] }

// some draws one to five different ones.
func some[T any](d *dice, from []T) []T {
	from = slices.Clone(from)
	d.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:1+d.IntN(min(5, len(from)))]
}
