package violations

import "strconv"

// AtLeast and AtMost say how many characters, items or members are asked for.
func AtLeast(n int, what string) string { return "must have at least " + Plural(n, what) }

// AtMost is the other end of [AtLeast].
func AtMost(n int, what string) string { return "must have at most " + Plural(n, what) }

// Plural is "1 item" or "2 items".
func Plural(n int, what string) string {
	text := strconv.Itoa(n) + " " + what
	if n != 1 {
		text += "s"
	}
	return text
}
