package secrets

import (
	"strings"
	"testing"
	"time"
	"unsafe"
)

// address is where a string is.
func address(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s))) }

func TestAValueThatIsFetchedAgainIsInMemoryOnce(t *testing.T) {
	t.Setenv("API_KEY", "hunter2")
	now := time.Now()
	c := New(Env(), Clock(func() time.Time { return now }))
	var texts []string // kept, so that no memory is used again
	for range 3 {
		s, err := c.Get(t.Context(), "API_KEY")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, s.Text())
		now = now.Add(time.Hour)
	}
	for i, text := range texts {
		if address(text) != address(texts[0]) {
			t.Errorf("after fetch %d: got another copy of the value, want the first one", i+1)
		}
	}
}

// A name may be cut out of an event, and outlive it by far.
func TestTheTextOfAKeyIsTheCachesOwn(t *testing.T) {
	c := New(Env())
	event := strings.Repeat("name stage version ", 1000)
	ref := Ref{Name: event[:4], Stage: event[5:10], Version: event[11:18]}
	if _, err := c.Get(t.Context(), ref.Name, VersionStage(ref.Stage), VersionID(ref.Version)); err == nil {
		t.Fatal("got a value, want none in the environment")
	}
	if len(c.slots) != 1 {
		t.Fatalf("%d entries are kept, want 1", len(c.slots))
	}
	var kept Ref
	for kept = range c.slots {
	}
	for i, text := range []string{kept.Name, kept.Stage, kept.Version} {
		if at := address(text); at >= address(event) && at < address(event)+uintptr(len(event)) {
			t.Errorf("part %d: got memory of the event, want a copy", i)
		}
	}
}
