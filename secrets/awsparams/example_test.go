package awsparams_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

// inMemory stands for a client of AWS, ssm.NewFromConfig(cfg).
type inMemory map[string]string

func (m inMemory) GetParameters(_ context.Context, in *ssm.GetParametersInput, _ ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	out := new(ssm.GetParametersOutput)
	for _, name := range in.Names {
		if value, ok := m[name]; ok {
			out.Parameters = append(out.Parameters, types.Parameter{Name: &name, Value: &value, Version: 1})
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

func (m inMemory) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	out := new(ssm.GetParametersByPathOutput)
	for name, value := range m {
		if strings.HasPrefix(name, *in.Path) {
			out.Parameters = append(out.Parameters, types.Parameter{Name: &name, Value: &value, Version: 1})
		}
	}
	return out, nil
}

func Example() {
	client := inMemory{"/shop/prod/api-key": "sk_live_1", "/shop/prod/mail/password": "hunter2"}
	params := secrets.New(awsparams.New(client))

	ctx := context.Background()
	err := params.Prefetch(ctx, "/shop/prod/api-key", "/shop/prod/mail/password") // one request
	if err != nil {
		log.Fatal(err)
	}
	key, err := params.Get(ctx, "/shop/prod/api-key")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key, key.Version(), len(key.Text()))
	// Output: [redacted] 1 9
}

// A log level that can be changed without a deployment: the values need not be
// secret.
func Example_setting() {
	client := inMemory{"/shop/prod/log-level": "DEBUG"}
	params := secrets.New(awsparams.New(client), secrets.TTL(time.Minute))

	text, err := params.Get(context.Background(), "/shop/prod/log-level")
	if err != nil {
		log.Fatal(err)
	}
	var level slog.Level
	if err := level.UnmarshalText(text.Bytes()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(level)
	// Output: DEBUG
}

// All parameters below a path are one value.
func Example_path() {
	client := inMemory{"/shop/prod/log-level": "debug", "/shop/prod/mail/password": "hunter2"}
	params := secrets.New(awsparams.New(client))

	type settings struct {
		LogLevel string `json:"log-level"`
		Password string `json:"mail/password"`
	}
	s, err := secrets.JSON[settings](context.Background(), params, "/shop/prod/")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.LogLevel, len(s.Password))
	// Output: debug 7
}
