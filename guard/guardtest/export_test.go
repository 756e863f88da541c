package guardtest

// MaxRulings is for the tests.
const MaxRulings = maxRulings
