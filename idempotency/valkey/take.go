package valkey

import (
	"context"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// takeScript takes how much is wanted, the limit, and the time that the counter lasts
// in milliseconds. It returns how much it took, and how much is taken in all. The
// counter is a string of digits, and other keys are an error. Limits are whole
// numbers of at most 15 digits, which Lua's numbers hold exactly.
const takeScript = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local took = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - used))
redis.call('INCRBY', KEYS[1], string.format('%.0f', took))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {took, math.min(used + took, tonumber(ARGV[2]))}
`

// Take implements the Counter of package guard/quota with one script. A script that
// is sent again because the connection broke may take a second time, and what it took
// first is lost.
func (s *Store) Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error) {
	answer, err := s.run(ctx, s.take, key, decimal(want), decimal(limit), s.left(expires)).AsIntSlice()
	if err != nil {
		return 0, 0, fmt.Errorf("valkey: take: %w", err)
	}
	if len(answer) != 2 {
		return 0, 0, errAnswer
	}
	return answer[0], answer[1], nil
}

var errAnswer = reason.New("valkey: take: the script has not returned two numbers")
