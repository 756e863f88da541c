// Package killtest runs real functions with real tables, kills them, and looks
// at what is left. It has tests alone.
package killtest
