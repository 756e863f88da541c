// Package authorizer decides who may, once, and in a way that the gateway's
// cache cannot turn into a hole.
package authorizer
