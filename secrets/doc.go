// Package secrets gives a function its secrets: fetched once, fresh enough,
// never shown.
package secrets
