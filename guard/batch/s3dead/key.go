package s3dead

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// keyOf returns the key of a letter. Two letters have one key only if one function
// gave up one record, which first failed on one day.
func keyOf(letter batch.DeadLetter) string {
	id := letter.ID
	if id == "" { // no record has none; equal ones then are one object
		id = digest(string(letter.Record))
	}
	return letter.FirstFailure.UTC().Format("2006/01/02/") + sourceOf(letter) + "/" + segment(id) + ".json"
}

// sourceOf returns the name of the source, with a hash of its ARN and that of the
// function.
func sourceOf(letter batch.DeadLetter) string {
	name := "unknown"
	if letter.Source != "" {
		parts := strings.SplitN(letter.Source, ":", 6)
		name = plain(parts[len(parts)-1])
	}
	return name + "." + digest(letter.Source + "\x00" + letter.FunctionARN)[:16]
}

// segment returns a text as a part of a key. Different texts have different parts:
// only one that is changed has a dot.
func segment(text string) string {
	if p := plain(text); p == text {
		return p
	}
	return plain(text) + "." + digest(text)
}

// plain returns at most 128 characters that are safe everywhere:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
func plain(text string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		default:
			return '-'
		}
	}, text)
	return safe[:min(len(safe), 128)]
}

// digest returns 64 hexadecimal digits.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
