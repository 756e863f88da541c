// Package recorddata reads the document that a record of a queue or a stream
// carries.
package recorddata

import (
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Of returns the document of a record: the body of an SQS message, the message of
// SNS, the data of Kinesis and Firehose, the value of Kafka. It panics for a type
// that is not listed.
func Of(record any) ([]byte, error) {
	switch r := record.(type) {
	case events.SQSMessage:
		return []byte(r.Body), nil
	case events.SNSEventRecord:
		return []byte(r.SNS.Message), nil
	case events.KinesisEventRecord:
		return r.Kinesis.Data, nil
	case events.KinesisFirehoseEventRecord:
		return r.Data, nil
	case events.KafkaRecord:
		value, err := base64.StdEncoding.DecodeString(r.Value)
		if err != nil {
			return nil, &guard.Error{Kind: guard.Invalid, Code: "record_not_base64", Detail: "The value of the record is not base64."}
		}
		return value, nil
	default:
		panic(fmt.Sprintf("recorddata: a %T carries no document", record))
	}
}
