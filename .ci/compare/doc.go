// Package compare holds benchmarks against other libraries. It is a module of
// its own so that those are no requirement of lambdarmor's users.
package compare
