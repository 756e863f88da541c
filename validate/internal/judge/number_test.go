package judge

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// numbers are written in different ways, some of them equal.
func numbers(rng *rand.Rand) string {
	text := fmt.Sprint(rng.IntN(200))
	if rng.IntN(2) == 0 {
		text += "." + strings.Repeat("0", rng.IntN(3)) + fmt.Sprint(rng.IntN(200))
	}
	if rng.IntN(2) == 0 {
		text += fmt.Sprintf("e%d", rng.IntN(7)-3)
	}
	if rng.IntN(3) == 0 {
		text = "-" + text
	}
	return text
}

func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatal(text)
	}
	return r
}

func TestNumbersAreComparedExactly(t *testing.T) {
	for seed := range uint64(30_000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		a, b := numbers(rng), numbers(rng)
		d, e, x, y := parse(a), parse(b), rat(t, a), rat(t, b)
		if got, want := d.compare(e), x.Cmp(y); got > 0 != (want > 0) || got < 0 != (want < 0) {
			t.Fatalf("seed %d: compare %s with %s: got %d, want %d", seed, a, b, got, want)
		}
		if got, want := d.isInteger(), x.IsInt(); got != want {
			t.Fatalf("seed %d: %s is an integer: got %t, want %t", seed, a, got, want)
		}
		if y.Sign() > 0 {
			if got, want := d.isMultipleOf(e), new(big.Rat).Quo(x, y).IsInt(); got != want {
				t.Fatalf("seed %d: %s is a multiple of %s: got %t, want %t", seed, a, b, got, want)
			}
		}
		r := new(Judge).start(Limits{Steps: 10})
		r.Judge = testJudge
		if equal := x.Cmp(y) == 0; equal != (r.hash(jsonNumber(a)) == r.hash(jsonNumber(b))) {
			t.Fatalf("seed %d: the hashes of %s and %s are equal: want %t", seed, a, b, equal)
		}
	}
}
