package violations

import "strconv"

// Plural returns "1 item" or "2 items".
func Plural(n int, what string) string {
	text := strconv.Itoa(n) + " " + what
	if n != 1 {
		text += "s"
	}
	return text
}
