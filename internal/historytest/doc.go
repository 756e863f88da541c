// Package historytest
package historytest
