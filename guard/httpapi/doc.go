// Package httpapi serves HTTP APIs and function URLs with plain functions.
package httpapi
