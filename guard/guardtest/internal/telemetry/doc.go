// Package telemetry delivers the records of one execution environment to the
// extensions that have subscribed to them, as Lambda's Telemetry API and the Logs API
// before it do. See https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html and
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
package telemetry
