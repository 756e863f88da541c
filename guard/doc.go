// Package guard wraps Lambda handlers in layers. See [Wrap] and [Middleware].
package guard
