// Package lambdarmor is the module's front page; the packages below it do the work.
package lambdarmor
