package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// wholeSecrets is a client for which the text of a secret is the whole answer of
// Secrets Manager, as JSON: what the clients of AWS's extension read.
type wholeSecrets struct{ client awssecrets.Client }

func (w wholeSecrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	out, err := w.client.GetSecretValue(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	text, err := encode(out)
	return &secretsmanager.GetSecretValueOutput{SecretString: text, VersionId: out.VersionId}, err
}

func (w wholeSecrets) BatchGetSecretValue(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error) {
	out, err := w.client.BatchGetSecretValue(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	for i, e := range out.SecretValues {
		text, err := encode(secretsmanager.GetSecretValueOutput{
			ARN: e.ARN, CreatedDate: e.CreatedDate, Name: e.Name, SecretBinary: e.SecretBinary,
			SecretString: e.SecretString, VersionId: e.VersionId, VersionStages: e.VersionStages,
		})
		if err != nil {
			return nil, err
		}
		out.SecretValues[i].SecretString = text
	}
	return out, nil
}

// wholeParameters is the same of Parameter Store.
type wholeParameters struct{ awsparams.Client }

type parameterAnswer struct {
	Parameter      types.Parameter
	ResultMetadata struct{}
}

func (w wholeParameters) GetParameters(ctx context.Context, in *ssm.GetParametersInput, opts ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	out, err := w.Client.GetParameters(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	for i, p := range out.Parameters {
		if out.Parameters[i].Value, err = encode(parameterAnswer{Parameter: p}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func encode(v any) (*string, error) {
	data, err := json.Marshal(v)
	text := string(data)
	return &text, err
}
