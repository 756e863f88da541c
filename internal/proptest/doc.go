// Package proptest holds the tests that need a library for tests: properties
// checked with rapid, histories checked with porcupine, tokens checked against
// go-jose, and Dockerfiles as BuildKit reads them.
//
// It is a module of its own, so that those libraries stay out of the go.mod
// that users of lambdarmor see. Its packages are named after the ones they
// test. "make test" runs them.
package proptest
