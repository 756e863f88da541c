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
			{Status: 400, Code: "ParameterNotFound", Want: secrets.ErrNotFound},
			{Status: 400, Code: "ParameterVersionNotFound", Want: secrets.ErrNotFound},
			{Status: 400, Code: "ResourceNotFoundException", Want: secrets.ErrNotFound},
			{Status: 400, Code: "InvalidRequestException", Want: secrets.ErrNotFound},
			{Status: 400, Code: "InvalidKeyId", Want: secrets.ErrUndecryptable},
			{Status: 400, Code: "DecryptionFailure", Want: secrets.ErrUndecryptable},
			{Status: 400, Code: "InvalidParameters", Want: nil},
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
