package awssecrets_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// inMemory stands for a client of AWS, secretsmanager.NewFromConfig(cfg).
type inMemory map[string]string

func (m inMemory) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	value, ok := m[*in.SecretId]
	if !ok {
		return nil, &types.ResourceNotFoundException{}
	}
	version := "v1"
	return &secretsmanager.GetSecretValueOutput{Name: in.SecretId, SecretString: &value, VersionId: &version}, nil
}

func (m inMemory) BatchGetSecretValue(_ context.Context, in *secretsmanager.BatchGetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error) {
	out := new(secretsmanager.BatchGetSecretValueOutput)
	for i, id := range in.SecretIdList {
		if value, ok := m[id]; ok {
			version := "v1"
			out.SecretValues = append(out.SecretValues, types.SecretValueEntry{Name: &in.SecretIdList[i], SecretString: &value, VersionId: &version})
		}
	}
	return out, nil
}

func Example() {
	client := inMemory{"payments/api-key": "sk_live_1", "mail/password": "hunter2"}
	keys := secrets.New(awssecrets.New(client))

	ctx := context.Background()
	if err := keys.Prefetch(ctx, "payments/api-key", "mail/password"); err != nil { // one request
		log.Fatal(err)
	}
	key, err := keys.Get(ctx, "payments/api-key")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key, key.Version(), len(key.Text()))
	// Output: [redacted] v1 9
}

// A rotation between two uses of a key.
func Example_rotation() {
	client := inMemory{"payments/api-key": "old"}
	keys := secrets.New(awssecrets.New(client))

	accepted := "old"
	pay := func(_ context.Context, key secrets.Secret) (string, error) {
		if key.Text() != accepted {
			return "", secrets.ErrRejected
		}
		return "paid", nil
	}
	fmt.Println(secrets.Try(context.Background(), keys, "payments/api-key", pay))

	client["payments/api-key"], accepted = "new", "new"
	fmt.Println(secrets.Try(context.Background(), keys, "payments/api-key", pay))
	// Output:
	// paid <nil>
	// paid <nil>
}

// A value expires when it is due to be replaced. The retries of the client fit
// into the time of a fetch.
func ExampleRotationAware() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
	})
	keys := secrets.New(awssecrets.New(client, awssecrets.RotationAware(client)), secrets.TTL(time.Hour))
	_ = keys
}
