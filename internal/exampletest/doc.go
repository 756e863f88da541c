// Package exampletest runs the starters against the servers that they would
// have in AWS. What of them needs no server is tested beside them, with nothing
// that a copy would not have.
package exampletest
