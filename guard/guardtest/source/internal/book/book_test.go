package book_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A story writes a book. Messages are of group g.
type story struct{ *book.Book }

func (s story) sent(ids ...string) {
	for _, id := range ids {
		s.Sent(id, "g", begin)
	}
}

func (s story) batch(ids ...string) int {
	var messages []book.Delivered
	for _, id := range ids {
		messages = append(messages, book.Delivered{ID: id, Attempt: 1})
	}
	return s.Batch("request", begin, messages)
}

func (s story) done(ids ...string) {
	for _, id := range ids {
		s.Settle(id, source.Done, "", begin)
	}
}

func TestWhatIsABreach(t *testing.T) {
	for name, c := range map[string]struct {
		write  func(story)
		breach string // empty for none
	}{
		"in order, one by one": {
			write: func(s story) { s.sent("1", "2"); s.batch("1"); s.done("1"); s.batch("2"); s.done("2") },
		},
		"in order, in one batch": {
			write: func(s story) { s.sent("1", "2"); s.batch("1", "2"); s.done("1", "2") },
		},
		"the later one is first in a batch": {
			write:  func(s story) { s.sent("1", "2"); s.batch("2", "1"); s.done("1", "2") },
			breach: `message 2 of group "g" was delivered in batch 1 before message 1, sent earlier, was done`,
		},
		"the later one is delivered while the earlier one waits": {
			write:  func(s story) { s.sent("1", "2"); s.batch("1"); s.batch("2"); s.done("1", "2") },
			breach: `message 2 of group "g" was delivered in batch 2 before message 1, sent earlier, was done`,
		},
		"the later one is done while the earlier one waits": {
			write:  func(s story) { s.sent("1", "2"); s.batch("1", "2"); s.done("2", "1") },
			breach: `message 2 of group "g" was done before message 1, sent earlier`,
		},
		"of three the middle one is dead-lettered, and the last overtakes the first": {
			write: func(s story) {
				s.sent("1", "2", "3")
				s.batch("1", "2", "3")
				s.Settle("2", source.DeadLettered, "", begin)
				s.done("3", "1")
			},
			breach: `message 3 of group "g" was done before message 1, sent earlier`,
		},
		"the last one is dead-lettered, and one sent after it overtakes the first": {
			write: func(s story) {
				s.sent("1", "2")
				s.batch("1", "2")
				s.Settle("2", source.DeadLettered, "", begin)
				s.sent("3")
				s.batch("3")
				s.done("1", "3")
			},
			breach: `message 3 of group "g" was delivered in batch 2 before message 1, sent earlier, was done`,
		},
		"an earlier one is settled again, and a later one overtakes the tail": {
			write: func(s story) {
				s.sent("1")
				s.batch("1")
				s.done("1")
				s.sent("2", "3")
				s.Reopen("1")
				s.batch("1")
				s.done("1")
				s.sent("4")
				s.batch("2", "3")
				s.batch("4")
				s.done("2", "3", "4")
			},
			breach: `message 4 of group "g" was delivered in batch 4 before message 3, sent earlier, was done`,
		},
		"removed without a delivery": {
			write:  func(s story) { s.sent("1"); s.Removed("1", begin) },
			breach: `message 1 of group "g" was removed as done, and never delivered`,
		},
		"delivered when it is done": {
			write:  func(s story) { s.sent("1"); s.batch("1"); s.done("1"); s.batch("1") },
			breach: "message 1 was delivered in batch 2, and is not one that waits",
		},
		"delivered and never sent": {
			write:  func(s story) { s.batch("1") },
			breach: "message 1 was delivered in batch 1, and is not one that waits",
		},
		"settled twice": {
			write:  func(s story) { s.sent("1"); s.batch("1"); s.done("1", "1") },
			breach: "message 1 became done, and was not one that waits",
		},
		"removed twice": {
			write: func(s story) { s.sent("1"); s.batch("1"); s.Removed("1", begin); s.Removed("1", begin) },
		},
		"deleted by the function that fails": {
			write: func(s story) { s.sent("1"); n := s.batch("1"); s.done("1"); s.Failed("1", n, "errorString") },
		},
		"deleted by the function, and reported": {
			write:  func(s story) { s.sent("1"); n := s.batch("1"); s.done("1"); s.Failed("1", n, source.Reported) },
			breach: `message 1 of group "g" was reported as failed in batch 1, and cannot come again: it was deleted`,
		},
		"reported, and done by a later delivery": {
			write: func(s story) {
				s.sent("1")
				n := s.batch("1")
				s.batch("1")
				s.done("1")
				s.Failed("1", n, source.Reported)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := story{book.New(false)}
			c.write(s)
			err := s.Ledger().Check()
			switch {
			case c.breach == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case c.breach != "" && (err == nil || err.Error() != "source: "+c.breach):
				t.Errorf("got %v, want %s", err, c.breach)
			}
		})
	}
}

// The breaches that are not kept in words are counted.
func TestManyBreachesAreCounted(t *testing.T) {
	s := story{book.New(false)}
	for i := range 100 {
		s.batch(fmt.Sprint(i))
	}
	if err := s.Ledger().Check(); err == nil || !strings.HasSuffix(err.Error(), "and 90 more") {
		t.Errorf("got %v, want ten and 90 more", err)
	}
}

// With countOnly what is done is forgotten, wherever it stands, once it is sure to be done.
func TestWhatOnlyCounts(t *testing.T) {
	s := story{book.New(true)}
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		s.Sent(id, "", begin)
	}
	s.batch("1", "2", "3", "4", "5")
	s.done("3", "1", "5")
	want(t, s, "2 4")
	s.Removing("2", begin)
	want(t, s, "2 4")
	s.Reopen("2")
	s.Removing("4", begin)
	s.Confirm("4")
	s.Confirm("2")
	want(t, s, "2")
	s.Filtered("2", begin)
	want(t, s, "2")
	s.Removed("2", begin)
	s.Sent("6", "", begin)
	want(t, s, "6")
	if got := s.Ledger().Counts(); got.Sent != 6 || got.Done != 4 || got.Filtered != 1 || got.Waiting != 1 {
		t.Errorf("got %+v, want 4 done, 1 filtered and 1 that waits", got)
	}
}

func want(t *testing.T, s story, ids string) {
	t.Helper()
	var got []string
	for _, e := range s.Ledger().Entries() {
		got = append(got, e.ID)
	}
	if strings.Join(got, " ") != ids {
		t.Errorf("got the entries %q, want %s", got, ids)
	}
}

// Deliveries of one message that end at the same time are no breach.
func TestRemovalsAtOnce(t *testing.T) {
	for range 200 {
		s := story{book.New(false)}
		s.sent("1")
		s.batch("1")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { s.Removed("1", begin) })
		}
		all.Wait()
		if err := s.Ledger().Check(); err != nil {
			t.Fatalf("got %v, want none", err)
		}
	}
}
