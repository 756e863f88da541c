package violations

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

// The order of the answer is not that of arrival: of 2, 10 and 1a no two may be
// compared by other rules than the third with either.
func TestTheOrderIsTheSameWheneverPlacesCome(t *testing.T) {
	want := []string{"/a/0/b", "/0/b", "/2/x", "/-1", "/2", "/+10", "/010", "/10", "/", "/10a", "/1a", "/99999999999999999999", "/a", "/b", ""}
	pointers := slices.Clone(want)
	for seed := range uint64(200) {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(pointers), func(i, j int) { pointers[i], pointers[j] = pointers[j], pointers[i] })
		list := List{Max: len(pointers)}
		for _, pointer := range pointers {
			list.Add(pointer, "type", "must be a string")
		}
		var got []string
		for _, v := range list.Err().(*guard.Error).Violations {
			got = append(got, v.Pointer)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s", seed, strings.Join(got, " "))
		}
	}
}
