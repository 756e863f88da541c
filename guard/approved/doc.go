// Package approved refuses to start a binary that is made of other modules than those
// somebody approved.
//
// The list of modules is a file beside main.go. A binary knows what it is made of,
// as "go version -m" shows, and compares that with the list before it does anything:
//
//	//go:embed approved.txt
//	var list string
//
//	func main() {
//		approved.Must(list)
//		lambda.Start(handler)
//	}
//
// Must panics with every difference. [Report] writes them to the log instead. The command
// guard/approved/list writes the list and compares one with a package or a built
// binary; docs/approved.md shows it in a pipeline, where the owners of the list approve
// each change.
//
// # The list
//
//	# A line that starts with # is a comment.
//	main: example.com/shop/cmd/orders
//	go: go1.26.8
//	build: -tags=lambda.norpc,approved
//	build: CGO_ENABLED=0
//	build: GOARCH=arm64
//
//	example.com/prices v1.4.0 h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg=
//	example.com/stock v0.3.0 => example.com/fork/stock v0.3.1 h1:gXoTeBaBZ3pJe6x4ZQZ5kTcS2tqZQYdvHvhV1Pg8eJE=
//	example.com/shop/lib v0.0.0 => ../lib (devel)
//
// A line of a module is its path, its version, and its sum as in go.sum or what replaces
// it. Only modules count that the binary is linked from. A module of a folder, by a
// replace directive or a workspace, has no sum: which folder it is gets compared, not what
// is in it.
//
// The lines main and go are there once. There is one line build for each setting that
// the go command records and that is not empty. A value * accepts any value and none.
// The line "build: *" accepts every setting that is not listed.
//
// A list that breaks these rules is an error that names the line.
//
// # Version control
//
// A binary that was built with uncommitted changes is refused (vcs.modified=true). With
// the line "build: vcs.modified=false" so is one that does not know, as one that was
// built without the folder .git. The line "build: vcs.modified=*" accepts all.
//
// The revision and its time are compared only if they are listed. An embedded list
// cannot name the revision that it is part of. The version of the main module follows
// from the revision and is not compared.
//
// # Vendored builds
//
// A binary of vendored modules carries their versions but no sums. The line
// "build: -mod=vendor" accepts missing sums. The command writes it, and compares the
// vendor folder with the modules themselves; at run time only versions are compared.
//
// # What it is for
//
// It stops a wrong build: a dependency that was updated without its owners, a replace
// directive left from a test, another toolchain, a build from a changed tree. It does
// not stop an attacker who can change the binary, for that one can change the list in
// it too. Code signing is for that. A check by the command in a pipeline that
// the author of a change does not control is the stronger one; this one also covers
// builds that went around the pipeline.
//
// A list approves modules by their sums. It knows nothing of vulnerabilities; govulncheck
// does, and the command's CycloneDX and SPDX documents feed other tools. It names nothing
// that is not a module: C libraries, layers, the rest of an image.
//
// # On your machine
//
// A build for a test or a local run is of another platform, with other flags, from a
// changed tree. To have such builds start, put the call of Must into a file with a tag
// of its own, and build what is deployed with -tags lambda.norpc,approved:
//
//	//go:build approved
//
// Write the list for these flags. The command then finds the setting -tags changed in a
// build that has lost the tag.
//
// In a test binary Check compares the test binary, and its modules are those of the tests too.
package approved
