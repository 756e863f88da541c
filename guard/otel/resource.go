package otel

import (
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// AvailabilityZoneID returns the attribute lambdarmor.availability_zone_id, for an ID
// of package metadata. The cloud.availability_zone of the conventions is the zone's
// name, which is another one in each account.
//
//	resource.NewSchemaless(append(lambdaotel.Resource(), lambdaotel.AvailabilityZoneID(zone))...)
//
// A resource is made once. If the function is restored from snapshots, which may be in
// another zone, set it on the span of each invocation instead.
func AvailabilityZoneID(id string) attribute.KeyValue {
	return attribute.String("lambdarmor.availability_zone_id", id)
}

// Resource returns what Lambda tells a process about its function, for the resource
// of the SDK's providers: its name, version, memory in bytes, region, log group,
// and as faas.instance its log stream. It returns nil outside of Lambda. What
// differs between invocations, like the tenant, is on their spans.
//
// service.name is the name of the function too, unless OTEL_SERVICE_NAME or
// OTEL_RESOURCE_ATTRIBUTES has one, which the SDK takes.
func Resource() []attribute.KeyValue {
	name := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	if name == "" {
		return nil
	}
	attrs := []attribute.KeyValue{semconv.CloudProviderAWS, semconv.CloudPlatformAWSLambda, semconv.FaaSName(name)}
	if os.Getenv("OTEL_SERVICE_NAME") == "" && !namesService(os.Getenv("OTEL_RESOURCE_ATTRIBUTES")) {
		attrs = append(attrs, semconv.ServiceName(name))
	}
	add := func(variable string, of func(string) attribute.KeyValue) {
		if value := os.Getenv(variable); value != "" {
			attrs = append(attrs, of(value))
		}
	}
	add("AWS_LAMBDA_FUNCTION_VERSION", semconv.FaaSVersion)
	add("AWS_LAMBDA_LOG_STREAM_NAME", semconv.FaaSInstance)
	add("AWS_LAMBDA_LOG_GROUP_NAME", func(v string) attribute.KeyValue { return semconv.AWSLogGroupNames(v) })
	add("AWS_REGION", semconv.CloudRegion)
	if mebibytes, err := strconv.Atoi(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); err == nil && mebibytes > 0 {
		attrs = append(attrs, semconv.FaaSMaxMemory(mebibytes<<20))
	}
	return attrs
}

// namesService reports whether a list like "team=shop,service.name=orders" has a name
// of the service.
func namesService(list string) bool {
	for pair := range strings.SplitSeq(list, ",") {
		if key, _, _ := strings.Cut(pair, "="); strings.TrimSpace(key) == "service.name" {
			return true
		}
	}
	return false
}
