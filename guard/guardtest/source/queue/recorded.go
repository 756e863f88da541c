package queue

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
)

// recorded keeps the ledger of a store outside this process. Only its receipts and
// deletions are known.
type recorded struct {
	Store
	ledger *book.Book
	now    func() time.Time
}

func (s *recorded) Receive(ctx context.Context, most int, until time.Time) ([]Received, error) {
	got, err := s.Store.Receive(ctx, most, until)
	for _, m := range got {
		sent, _ := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
		if !s.ledger.Sent(m.ID, m.Attributes["MessageGroupId"], time.UnixMilli(sent)) {
			s.ledger.Reopen(m.ID) // SQS may deliver a deleted message again
		}
	}
	return got, err
}

// Delete records the end before it happens: once a message is deleted, another poller
// may receive the next one of its group.
func (s *recorded) Delete(ctx context.Context, messages []Received) (kept []Received, err error) {
	for _, m := range messages {
		s.ledger.Removing(m.ID, s.now())
	}
	kept, err = s.Store.Delete(ctx, messages)
	for _, m := range kept {
		s.ledger.Reopen(m.ID)
	}
	for _, m := range messages {
		if !slices.ContainsFunc(kept, func(k Received) bool { return k.ID == m.ID }) {
			s.ledger.Confirm(m.ID)
		}
	}
	return kept, err
}
