package recursion

import (
	"context"
	"log/slog"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// The names of the counter, for programs that stamp what this package has no Carry for.
// Its value is the decimal number of [Hops].
const (
	Attribute = "lambdarmor.hops" // of message attributes, headers of Kafka and baggage
	Header    = "Lambdarmor-Hops" // of HTTP
	Member    = "_hops"           // of JSON objects and items of DynamoDB; a number
)

// most is the largest counter that is read.
const most = 9999

type hopsKey struct{}

// Hops returns how many invocations, with this one, the chain of an event has had: 1 for
// an event that no function has sent. It returns 0 outside [Limit] and [Records], where
// it is not known.
func Hops(ctx context.Context) int {
	n, _ := ctx.Value(hopsKey{}).(int)
	return n
}

func checkLimit(f string, n int) {
	if n < 1 || n > most {
		panic("recursion: " + f + " of " + strconv.Itoa(n) + ": the limit must be from 1 to 9999")
	}
}

// counter is the largest counter of an event or a record.
type counter struct {
	hops      int
	malformed bool
}

// add reads a counter: up to four digits.
func (c *counter) add(text string) {
	n, err := strconv.Atoi(text)
	if err != nil || len(text) > 4 || strings.Trim(text, "0123456789") != "" {
		c.malformed = true
		return
	}
	c.hops = max(c.hops, n)
}

// enter returns the context of the next invocation of the chain, or why there is none.
func (c *counter) enter(ctx context.Context, limit int) (context.Context, error) {
	if c.malformed {
		return nil, &guard.Error{
			Kind: guard.Invalid, Code: "hops_malformed", Detail: "The hop counter is not a number from 0 to 9999.",
		}
	}
	n := c.hops + 1
	guard.AddAttrs(ctx, slog.Int("hops", n))
	if n > limit {
		return nil, &guard.Error{
			Kind: guard.Unprocessable, Code: "loop", Detail: "The event has passed through too many functions.",
		}
	}
	return context.WithValue(ctx, hopsKey{}, n), nil
}
