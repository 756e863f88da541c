module github.com/lambdarmor/lambdarmor/.ci/compare

go 1.26

replace github.com/lambdarmor/lambdarmor => ../..

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/awslabs/aws-lambda-go-api-proxy v0.16.2
)
