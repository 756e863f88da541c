// Package xray records invocations of Lambda functions as subsegments of AWS X-Ray.
package xray
