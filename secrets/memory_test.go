package secrets

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// address is where a string is, in a form that does not keep it.
func address(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s))) }

// peek reads memory that nothing refers to any more.
func peek(at uintptr, n int) []byte {
	p := *(*unsafe.Pointer)(unsafe.Pointer(&at))
	return bytes.Clone(unsafe.Slice((*byte)(p), n))
}

func TestMemoryIsZeroedWhenTheLastOneHasDroppedIt(t *testing.T) {
	const size = 64 << 10 // of its own pages, so that nothing else moves in soon
	data := bytes.Repeat([]byte("s3cr3t. "), size/8)
	text := hold(data)
	at := address(text)
	part := text[100:108] // all that is left
	text = ""
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond) // for a finalizer that there must not be
	}
	if part != strings.Repeat("s3cr3t. ", 2)[4:12] {
		t.Fatalf("it is %q under a reader", part)
	}
	runtime.KeepAlive(part)
	part = ""
	for deadline := time.Now().Add(10 * time.Second); bytes.Contains(peek(at, size), []byte("s3cr3t")); {
		if time.Now().After(deadline) {
			t.Fatal("the value is still in memory")
		}
		runtime.GC()
		runtime.Gosched()
	}
}

// large is a source of one value of that many bytes, for each version another.
type large struct{ size, version int }

func (l *large) Fetch(context.Context, []Ref) ([]Value, error) {
	data := bytes.Repeat([]byte("s3cr3t."+strconv.Itoa(l.version)), l.size/8)
	return []Value{{Data: data, Version: strconv.Itoa(l.version)}}, nil
}

func TestAValueIsInMemoryOnceAndZeroedWhenItWasReplaced(t *testing.T) {
	const size = 64 << 10
	src, now := &large{size, 1}, time.Now()
	c := New(src, Clock(func() time.Time { return now }))
	get := func() (at uintptr) {
		t.Helper()
		s, err := c.Get(t.Context(), "x")
		if err != nil || s.Version() != strconv.Itoa(src.version) {
			t.Fatal(s.Version(), err)
		}
		return address(s.Text())
	}
	at := get()
	now = now.Add(time.Hour)
	if get() != at {
		t.Error("it is held another time when it was fetched again and is the same")
	}
	src.version = 2
	now = now.Add(time.Hour)
	get()
	for deadline := time.Now().Add(10 * time.Second); bytes.Contains(peek(at, size), []byte("s3cr3t.1")); {
		if time.Now().After(deadline) {
			t.Fatal("the value that was replaced is still in memory")
		}
		runtime.GC()
		runtime.Gosched()
	}
}

func TestAnEmptyAndAShortValueAreHeld(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("x", 15), strings.Repeat("x", 16), strings.Repeat("x", 17)} {
		if got := hold([]byte(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A name may be cut out of an event, and outlive it by far.
func TestTheTextOfAKeyIsTheCachesOwn(t *testing.T) {
	c := New(Env())
	event := strings.Repeat("name stage version ", 1000)
	ref := Ref{Name: event[:4], Stage: event[5:10], Version: event[11:18]}
	if _, err := c.Get(t.Context(), ref.Name, VersionStage(ref.Stage), VersionID(ref.Version)); err == nil {
		t.Fatal("it is there")
	}
	kept := c.table.find(&ref).ref
	for i, text := range []string{kept.Name, kept.Stage, kept.Version} {
		if at := address(text); at >= address(event) && at < address(event)+uintptr(len(event)) {
			t.Errorf("part %d is kept within the event", i)
		}
	}
}
