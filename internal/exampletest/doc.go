// Package exampletest runs the starters, and functions made to fail, against the
// servers that they would have in AWS: it kills them and looks at what is left.
// What of a starter needs no server is tested beside it, with nothing that a copy
// would not have. The package has tests alone.
package exampletest
