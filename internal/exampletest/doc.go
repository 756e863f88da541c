// Package exampletest runs the starters as their READMEs say, and against the
// servers that they would have in AWS. What of them needs neither is tested
// beside them, with nothing that a copy would not have.
package exampletest
