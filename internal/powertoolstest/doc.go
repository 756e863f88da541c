// Package powertoolstest holds package idempotency to what Powertools for AWS
// Lambda (Python) does, the real one, over one table: the tests are all there
// is here. "make servers" installs what they need; they skip without it.
package powertoolstest
