package valkey

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/valkey-io/valkey-go"
)

// maxResult is the size of the largest string in bytes: the default of
// proto-max-bulk-len.
//
// https://valkey.io/topics/strings/
const maxResult = 512 << 20

// Store keeps records in a Valkey or Redis server or cluster. Make it with
// [New].
type Store struct {
	client                   valkey.Client
	prefix                   string
	clock                    clock.Clock
	claim, complete, release *valkey.Lua
	take                     *valkey.Lua
}

// Option changes a [Store].
type Option struct{ apply func(*Store) }

// Prefix sets what the keys on the server begin with. The default is
// "idempotency:". Stores with different prefixes share no records. A prefix with a
// hash tag, such as "{a}:", keeps all records on one node of a cluster.
func Prefix(prefix string) Option {
	return Option{func(s *Store) { s.prefix = prefix }}
}

// Clock sets the clock of this process, for tests. The default is time.Now. The
// server judges leases by its own clock.
func Clock(now func() time.Time) Option {
	if now == nil {
		panic("valkey: Clock with a nil function")
	}
	return Option{func(s *Store) { s.clock = now }}
}

// New returns a store. The caller closes the client. It must be able to write, so do
// not set its ReplicaOnly.
func New(client valkey.Client, opts ...Option) *Store {
	if client == nil {
		panic("valkey: New with a nil Client")
	}
	s := &Store{
		client:   client,
		prefix:   "idempotency:",
		claim:    valkey.NewLuaScript(claimScript),
		complete: valkey.NewLuaScript(completeScript),
		release:  valkey.NewLuaScript(releaseScript),
		take:     valkey.NewLuaScript(takeScript),
	}
	for _, opt := range opts {
		opt.apply(s)
	}
	return s
}

var _ idempotency.Store = (*Store)(nil)

// Claim implements [idempotency.Store] with one script.
func (s *Store) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	answer, err := s.run(ctx, s.claim, r.Key,
		r.Owner, decimal(r.Epoch), decimal(r.Epoch-1), s.left(r.Lease), s.left(r.Expires),
		decimal(milliseconds(r.Lease)), decimal(milliseconds(r.Expires)), r.Fingerprint,
	).ToArray()
	if err != nil {
		return idempotency.Record{}, fmt.Errorf("valkey: claim: %w", err)
	}
	if len(answer) == 0 {
		return idempotency.Record{}, nil
	}
	held, err := record(r.Key, answer)
	if err != nil {
		return idempotency.Record{}, fmt.Errorf("valkey: record %s%s: %w", s.prefix, r.Key, err)
	}
	return held, idempotency.ErrHeld
}

// Complete implements [idempotency.Store] with one script. A result of more than
// 512 MB is refused with [idempotency.ErrTooLarge] and without a request.
func (s *Store) Complete(ctx context.Context, r idempotency.Record) error {
	args := []string{r.Owner, decimal(r.Epoch), s.left(r.Expires), decimal(milliseconds(r.Expires))}
	switch {
	case r.NoResult:
	case len(r.Result) > maxResult:
		return fmt.Errorf("%w: valkey: more than %d bytes", idempotency.ErrTooLarge, maxResult)
	default:
		args = append(args, string(r.Result))
	}
	return settled("complete", s.run(ctx, s.complete, r.Key, args...))
}

// Release implements [idempotency.Store] with one script.
func (s *Store) Release(ctx context.Context, r idempotency.Record) error {
	return settled("release", s.run(ctx, s.release, r.Key, r.Owner, decimal(r.Epoch)))
}

func settled(step string, answer valkey.ValkeyResult) error {
	ours, err := answer.AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("valkey: %s: %w", step, err)
	case ours == 0:
		return fmt.Errorf("%w: valkey: %s", idempotency.ErrLost, step)
	default:
		return nil
	}
}

// run sends a script, and again if the connection fails, as the client does not retry
// scripts. Those of a record are idempotent. It stops early enough for the function to
// answer that the store is down.
func (s *Store) run(ctx context.Context, script *valkey.Lua, key string, args ...string) valkey.ValkeyResult {
	const tries = 3
	pause := 10 * time.Millisecond
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return valkey.NewErrorResult(err)
		}
		answer := script.Exec(ctx, s.client, []string{s.prefix + key}, args)
		if try == tries || !broken(answer.NonValkeyError()) {
			return answer
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return answer
		}
		pause *= 2
	}
}

// broken reports whether an error is one of the connection.
func broken(err error) bool {
	return err != nil && !errors.Is(err, valkey.ErrClosing) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// left returns the time until t in milliseconds, rounded up. The server adds it to its
// own time, so that no two clocks are compared. The time that the request is on its
// way makes a lease longer.
func (s *Store) left(t time.Time) string {
	left := t.Sub(s.clock.Now())
	ms := left.Milliseconds()
	if left > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return decimal(ms)
}

// milliseconds rounds up, so that a record does not end early.
func milliseconds(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
