module github.com/lambdarmor/lambdarmor/guard/approved/list

go 1.26.0

require (
	github.com/CycloneDX/cyclonedx-go v0.12.0
	github.com/lambdarmor/lambdarmor v0.0.0
	github.com/package-url/packageurl-go v0.1.7
	github.com/spdx/tools-golang v0.5.7
)

require github.com/anchore/go-struct-converter v0.1.0 // indirect

replace github.com/lambdarmor/lambdarmor => ../../..
