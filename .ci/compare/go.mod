module github.com/lambdarmor/lambdarmor/.ci/compare

go 1.26.0

replace github.com/lambdarmor/lambdarmor => ../..

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/awslabs/aws-lambda-go-api-proxy v0.16.2
	github.com/lambdarmor/lambdarmor v0.0.0-00010101000000-000000000000
)

require (
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3 // indirect
	github.com/santhosh-tekuri/jsonschema/v5 v5.3.1 // indirect
	github.com/stretchr/testify v1.8.4 // indirect
)
