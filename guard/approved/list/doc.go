// Command list writes the list of modules that a Lambda function is made of, for
// package approved, and compares a function with a list that was approved.
//
//	go -C guard/approved/list run . [flags] <package or binary> [NAME=VALUE | build flag]...
//
// It is a module of its own. In another module it is a tool, best in a file of
// requirements of its own:
//
//	go mod init -modfile=tools.mod example.com/shop/tools
//	go get -tool -modfile=tools.mod github.com/lambdarmor/lambdarmor/guard/approved/list
//	go tool -modfile=tools.mod list ./cmd/orders GOOS=linux GOARCH=arm64 CGO_ENABLED=0 -trimpath >cmd/orders/approved.txt
//	go tool -modfile=tools.mod list -check cmd/orders/approved.txt ./cmd/orders GOOS=linux GOARCH=arm64 CGO_ENABLED=0 -trimpath
//	go tool -modfile=tools.mod list -check cmd/orders/approved.txt ./bootstrap
//
// A package is built by the go command, with the variables and flags behind it, and the
// build information of the binary is what counts. So a module is listed only if the
// function is linked from it. Give what the function is deployed with; GOFLAGS and the
// other variables of the environment count too. GOOS and GOARCH stand behind the package,
// because before the command they would be those of the command as well.
//
// Flags:
//
//	-check  a list: print a table of what differs from it, and exit with status 1 if anything does
//	-o      what to print: text (the list), cyclonedx (1.6, JSON) or spdx (2.3, JSON); text
//
// The status is 2 if the function could not be built or read, or the list is malformed.
//
// # Uncommitted changes
//
// A package is compared as if its tree had no uncommitted changes, since the list may
// just have been written. A binary is compared as it is.
//
// # Vendored modules
//
// A binary of vendored modules carries no sums. For a package with a vendor folder the
// command makes that folder anew from the modules (go mod vendor -o), and builds with
// them (-mod=readonly). The list has their sums. Each file of the vendor folder that differs
// is one row of the table, and no list is written while there is one. The modules have to
// be in the module cache or within reach.
//
// # Bills of materials
//
// Both formats have the modules, and the standard library as stdlib, as linked by the
// function. Who requires whom is not in a binary: the function depends on all of them.
// What is replaced stands under the name of its replacement.
//
// The sum is a property in CycloneDX and a comment in SPDX. It is no hash in the sense
// of these formats: a hash of a list of hashes, not of a file. Other tools write it as
// SHA-256 all the same. Licenses are not looked at.
//
// For one binary the bytes are the same each time. The serial number is made of the build
// information. The time is SOURCE_DATE_EPOCH, or that of the revision in the binary; if
// there is neither, CycloneDX has none and SPDX, which has to have one, 1970.
//
// https://cyclonedx.org/docs/1.6/json/, https://spdx.github.io/spdx-spec/v2.3/,
// https://reproducible-builds.org/specs/source-date-epoch/
package main
