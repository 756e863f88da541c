package visibility

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var (
	errReceipt   = reason.New("the message has no receipt handle")
	errARN       = reason.New("the source of the message is not the ARN of a queue")
	errPartition = reason.New("the partition of the queue is not known: use QueueURL")
)

// queueURL returns the URL of a queue with an ARN like
// arn:aws:sqs:eu-central-1:111122223333:orders.
func queueURL(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs" {
		return "", errARN
	}
	region, account, name := parts[3], parts[4], parts[5]
	if !plain(region) || !plain(account) || !plain(strings.TrimSuffix(name, ".fifo")) {
		return "", errARN
	}
	domain := domainOf(parts[1])
	if domain == "" {
		return "", errPartition
	}
	return "https://sqs." + region + "." + domain + "/" + account + "/" + name, nil
}

// plain reports whether a text is a part of a name, and changes nothing of a URL.
func plain(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// domainOf returns the domain of a partition's endpoints, empty if there is none:
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
// and the endpoints of the AWS SDKs.
func domainOf(partition string) string {
	switch partition {
	case "aws", "aws-us-gov":
		return "amazonaws.com"
	case "aws-cn":
		return "amazonaws.com.cn"
	case "aws-eusc":
		return "amazonaws.eu"
	case "aws-iso":
		return "c2s.ic.gov"
	case "aws-iso-b":
		return "sc2s.sgov.gov"
	case "aws-iso-e":
		return "cloud.adc-e.uk"
	case "aws-iso-f":
		return "csp.hci.ic.gov"
	default:
		return ""
	}
}
