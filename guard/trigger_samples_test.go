package guard_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// What the test kit hands out as a trigger's event is told as that.
func TestTriggerOfTheTestKitsSamples(t *testing.T) {
	for name, event := range sample.All() {
		text := event.Bytes()
		want, _, _ := strings.Cut(name, "/")
		if got := guard.TriggerOf(text); got != guard.Trigger(want) {
			t.Errorf("%s is read as %s", name, got)
		}
	}
}

// Telling the trigger reads the whole request; of an event with records it
// reads no more than the first one's source.
func BenchmarkTriggerOfSamples(b *testing.B) {
	for name, event := range sample.All() {
		text := event.Bytes()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				guard.TriggerOf(text)
			}
		})
	}
}
