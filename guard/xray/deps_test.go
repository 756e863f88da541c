package xray_test

// Until the code uses them.
import (
	_ "github.com/aws/aws-lambda-go/lambda"
	_ "github.com/aws/aws-sdk-go-v2/aws"
	_ "github.com/aws/aws-xray-sdk-go/instrumentation/awsv2"
	_ "github.com/aws/aws-xray-sdk-go/xray"

	_ "github.com/lambdarmor/lambdarmor/guard/guardtest"
)
