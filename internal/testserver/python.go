package testserver

import "testing"

// Python is the path of an interpreter that knows Powertools for AWS Lambda, boto3,
// and the libraries of CycloneDX and SPDX, for a test that holds this module to what
// they do. It skips or fails
// the test as a server does that is not installed.
func Python(t testing.TB) string {
	t.Helper()
	path, err := locate("python")
	need(t, err)
	return path
}
