// Package policy writes IAM policies for API Gateway, and refuses text from a
// request that would act as a wildcard in them.
//
//	a, err := policy.ParseARN(event.MethodArn)
//	…
//	var doc policy.Document
//	err = doc.Allow(a) // an error if the path contains "*", "?" or "${"
//
// [authorizer.Policy] uses it to answer API Gateway. Use it yourself if you write an
// authorizer by hand, or for the resource policy of an API.
//
// [authorizer.Policy]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/authorizer#Policy
package policy
