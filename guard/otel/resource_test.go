package otel_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// The name of a zone has a key of its own in the conventions.
func TestTheZoneIsAnID(t *testing.T) {
	if got := otel.AvailabilityZoneID("use1-az1"); got.Key != "lambdarmor.availability_zone_id" || got.Value.AsString() != "use1-az1" {
		t.Errorf("got %v, want the id", got)
	}
}

func TestTheResourceIsTheFunction(t *testing.T) {
	for name, tt := range map[string]struct {
		variables map[string]string
		want      []string
	}{
		"in Lambda": {
			variables: map[string]string{
				"AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_LAMBDA_FUNCTION_VERSION": "12", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
				"AWS_REGION": "eu-central-1", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/12/01/[12]7d",
			},
			want: []string{
				"cloud.provider=aws", "cloud.platform=aws_lambda", "cloud.region=eu-central-1", "faas.name=orders", "faas.version=12",
				"faas.max_memory=268435456", "faas.instance=2026/12/01/[12]7d", "service.name=orders", `aws.log.group.names=["/aws/lambda/orders"]`,
			},
		},
		"in an emulator": {
			variables: map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much"},
			want:      []string{"cloud.provider=aws", "cloud.platform=aws_lambda", "faas.name=orders", "service.name=orders"},
		},
		"with a name of the service": {
			variables: map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "orders", "OTEL_SERVICE_NAME": "shop"},
			want:      []string{"cloud.provider=aws", "cloud.platform=aws_lambda", "faas.name=orders"},
		},
		"with a name of the service among other attributes": {
			variables: map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "team=shop, service.name = shop"},
			want:      []string{"cloud.provider=aws", "cloud.platform=aws_lambda", "faas.name=orders"},
		},
		"with a name of another service": {
			variables: map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "peer.service.name=bank"},
			want:      []string{"cloud.provider=aws", "cloud.platform=aws_lambda", "faas.name=orders", "service.name=orders"},
		},
		"elsewhere": {variables: map[string]string{"AWS_REGION": "eu-central-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{
				"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_REGION",
				"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES",
			} {
				t.Setenv(v, tt.variables[v])
			}
			var got []string
			for _, a := range otel.Resource() {
				got = append(got, string(a.Key)+"="+a.Value.String())
			}
			if lines(got...) != lines(tt.want...) {
				t.Errorf("got\n%s\nwant\n%s", lines(got...), lines(tt.want...))
			}
		})
	}
}
