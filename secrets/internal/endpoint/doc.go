// Package endpoint asks an HTTP endpoint for secrets, so that nobody but the
// endpoint hears of them: only this machine without TLS, through no proxy, along
// no redirect. What is read is bounded, and no connection outlives its call: a
// frozen process would wake up with one that is dead.
package endpoint
