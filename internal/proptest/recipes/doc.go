// Package recipes has the recipes of docs/observability.md for what other vendors
// make, with the real sentry-go and New Relic agent. A test compares the page with
// this package.
package recipes
