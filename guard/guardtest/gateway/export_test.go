package gateway

// MaxRulings is for the tests.
const MaxRulings = maxRulings
