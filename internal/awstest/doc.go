// Package awstest is for the tests of sources that ask an AWS API: the
// answers of a busy service, the configuration of a client that is soon done with
// them, and, as a [Subject], what all such sources have to do alike.
package awstest
