// Package idempotency makes a handler safe to call again.
package idempotency
