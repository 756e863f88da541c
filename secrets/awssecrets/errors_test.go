package awssecrets_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

func codes() []awstest.Meaning {
	return []awstest.Meaning{
		{Status: 400, Code: "ResourceNotFoundException", Want: secrets.ErrNotFound},
		{Status: 400, Code: "InvalidRequestException", Want: secrets.ErrNotFound},
		{Status: 400, Code: "DecryptionFailure", Want: secrets.ErrUndecryptable},
		{Status: 500, Code: "InternalServiceError", Want: secrets.ErrUnavailable},
		{Status: 400, Code: "InvalidParameterException", Want: nil},
	}
}

func TestWhatAllSourcesOfAWSDo(t *testing.T) {
	awstest.Subject{
		Package:    "awssecrets",
		New:        func(cfg aws.Config) secrets.Source { return awssecrets.New(secretsmanager.NewFromConfig(cfg)) },
		Operations: []string{"GetSecretValue", "BatchGetSecretValue"},
		Fetches:    [][]string{{"a"}, {"a", "b"}},
		Codes:      codes(),
		Value:      entry{Name: "a", SecretString: "value"},
		Cut:        `{"Name":"a","SecretString":"hunter2`,
		Misshapen:  map[string]any{"SecretString": map[string]string{"hunter2": "hunter2"}},
		AtOnce:     8,
	}.Test(t)
}

// Of one secret among several, no HTTP status helps.
func TestWhatErrorsWithinABatchMean(t *testing.T) {
	for _, tt := range slices.Concat(awstest.Meanings(), codes()) {
		if tt.Code == awstest.UnknownCode {
			continue
		}
		t.Run(fmt.Sprint(tt.Status, " ", tt.Code), func(t *testing.T) {
			p, source := stub(t)
			p.Meet("BatchGetSecretValue", awstest.Answer(batch{
				SecretValues: []entry{{Name: "other", SecretString: "other"}},
				Errors:       []fault{{SecretId: "payments/api-key", ErrorCode: tt.Code, Message: "a message"}},
			}))
			values := awstest.Fetch(t, source, awstest.Named("other", "payments/api-key")...)
			awstest.MustHave(t, values[0], "other")
			awstest.MustMean(t, values[1].Err, tt.Want)
		})
	}
}

func TestAnAnswerWithoutAValueIsAnError(t *testing.T) {
	p, source := stub(t)
	p.Meet("GetSecretValue", awstest.Answer(map[string]string{"Name": "a"}))
	awstest.MustMean(t, awstest.Fetch(t, source, awstest.Named("a")...)[0].Err, nil)
}
