package validate

// An Option changes what a layer of this package does with an instance.
type Option func(*options)

type options struct {
	violations int
	checks     int
}

// MaxViolations sets how many places an error lists, 20 when it is not set. The
// others are counted.
func MaxViolations(n int) Option {
	if n < 1 {
		panic("validate: MaxViolations below 1")
	}
	return func(o *options) { o.violations = n }
}

// MaxChecks bounds what one instance may cost, 250 000 when it is not set: a
// check is one schema applied to one value, at a place with a pointer of less
// than 64 bytes; a longer one counts more. Each takes up to 2 µs, and up to
// 200 bytes while it fails. An instance beyond it is refused with code
// validation_too_costly before the first check.
//
// What needs it is a recursive schema with alternatives, where each level of
// the instance can double the work, and many values under a long name.
func MaxChecks(n int) Option {
	if n < 1 {
		panic("validate: MaxChecks below 1")
	}
	return func(o *options) { o.checks = n }
}

const (
	defaultViolations = 20
	defaultChecks     = 250_000
)
