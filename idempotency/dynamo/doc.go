// Package dynamo keeps idempotency records in DynamoDB.
package dynamo
