package clientcredentials

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// Token is an access token that hides itself: fmt with every verb, slog, JSON, XML and a
// panic show "[redacted]". Only [Token.Text] returns it. The zero Token is empty.
type Token struct {
	redacted
	open    func() string // reflection, and so fmt, cannot look into a closure
	expires time.Time
}

// Text returns the token.
func (t Token) Text() string {
	if t.open == nil {
		return ""
	}
	return t.open()
}

// Expiry returns when the token expires, by the wall clock.
func (t Token) Expiry() time.Time { return t.expires }

const redaction = "[redacted]"

// redacted has the methods that hide the type which embeds it.
type redacted struct{}

func (redacted) String() string               { return redaction }
func (redacted) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redaction)) }
func (redacted) LogValue() slog.Value         { return slog.StringValue(redaction) }
func (redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + redaction + `"`), nil }
func (redacted) MarshalText() ([]byte, error) { return []byte(redaction), nil }

const (
	unknownLife = 5 * time.Minute // of a token without expires_in
	longestLife = 24 * time.Hour
	margin      = 10 * time.Second // for the way of a request, and clocks that differ
)

// kept is a token that was fetched. It never changes.
type kept struct {
	text    string
	at      time.Time // when the request for it began
	renew   time.Time // when the next one is due
	until   time.Time // when it is not used any more
	expires time.Time
}

// keep returns a token for its life. share is from 0 to 1, at random.
func keep(text string, at time.Time, life time.Duration, share float64) *kept {
	return &kept{
		text: text, at: at, expires: at.Add(life),
		renew: at.Add(life*4/5 + time.Duration(share*float64(life/10))),
		until: at.Add(life - min(margin, life/10)),
	}
}

func (k *kept) token() Token {
	text := k.text
	return Token{open: func() string { return text }, expires: k.expires}
}

func (k *kept) isUsable(now time.Time) bool { return k != nil && clock.Within(now, k.at, k.until) }
func (k *kept) isDue(now time.Time) bool    { return !clock.Within(now, k.at, k.renew) }
