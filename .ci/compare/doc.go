// Package compare holds benchmarks beside a bare handler and against other
// libraries, middy in Node among them. It is a module of its own so that those
// are no requirement of lambdarmor's users.
package compare
