package content

import "github.com/lambdarmor/lambdarmor/internal/textsum"

// Sum returns the hash of a list of texts, as [textsum.Of] does.
func Sum(parts ...string) string { return textsum.Of(parts...) }
