package awsparams_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

func TestWhatAllSourcesOfAWSDo(t *testing.T) {
	awstest.Subject{
		Package:    "awsparams",
		New:        func(cfg aws.Config) secrets.Source { return awsparams.New(ssm.NewFromConfig(cfg)) },
		Operations: []string{"GetParameters", "GetParametersByPath"},
		Fetches:    [][]string{{"/a"}, {"/a", "/b", "/c/"}},
		Codes: []awstest.Meaning{
			awstest.Means(400, "ParameterNotFound", secrets.ErrNotFound),
			awstest.Means(400, "ParameterVersionNotFound", secrets.ErrNotFound),
			awstest.Means(400, "ResourceNotFoundException", secrets.ErrNotFound),
			awstest.Means(400, "InvalidRequestException", secrets.ErrNotFound),
			awstest.Means(400, "InvalidKeyId", secrets.ErrUndecryptable),
			awstest.Means(400, "DecryptionFailure", secrets.ErrUndecryptable),
			awstest.Means(400, "InvalidParameters", nil),
		},
		Value:     map[string]any{"Parameters": []parameter{{Name: "a", Value: "value"}}},
		Cut:       `{"Parameters":[{"Name":"a","Value":"hunter2`,
		Misshapen: map[string]any{"Parameters": map[string]string{"hunter2": "hunter2"}},
		AtOnce:    4,
	}.Test(t)
}

func TestAnAnswerWithoutAValueIsAnError(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetParameters", awstest.Answer(map[string]any{"Parameters": []map[string]string{{"Name": "a"}}}))
	awstest.MustMean(t, awstest.Fetch(t, source, awstest.Named("a")...)[0].Err, nil)
}
