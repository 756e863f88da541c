// Package s3pointer reads and writes the pointers that Amazon's extended clients
// put in the place of a message's body when the body itself is in S3.
//
// The form is that of the libraries
// https://github.com/awslabs/payload-offloading-java-common-lib-for-aws and
// https://github.com/awslabs/amazon-sqs-java-extended-client-lib.
package s3pointer

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// A message that has one of these attributes has a pointer as its body. The value
// is the size of the payload in bytes, a Number.
const (
	Attribute    = "ExtendedPayloadSize"
	OldAttribute = "SQSLargePayloadSize" // of the libraries before version 2
)

const (
	class    = "software.amazon.payloadoffloading.PayloadS3Pointer"
	oldClass = "com.amazon.sqs.javamessaging.MessageS3Pointer" // before version 2
)

// A Pointer is where a payload is.
type Pointer struct {
	Bucket string `json:"s3BucketName"`
	Key    string `json:"s3Key"`
}

// String returns the pointer as the body of a message.
func (p Pointer) String() string {
	text, err := json.Marshal([]any{class, p})
	if err != nil { // a struct of two strings has a JSON text
		panic(fmt.Sprintf("s3pointer: %v", err))
	}
	return string(text)
}

var errForm = reason.New("want a class name of Amazon's extended client, and a bucket and a key")

// Parse reads the body of a message that has one of the attributes.
func Parse(body string) (Pointer, error) {
	var parts []json.RawMessage
	if err := strictjson.Unmarshal([]byte(body), &parts, strictjson.Options{}); err != nil {
		return Pointer{}, err
	}
	if len(parts) != 2 {
		return Pointer{}, errForm
	}
	var name string
	if err := strictjson.Unmarshal(parts[0], &name, strictjson.Options{}); err != nil {
		return Pointer{}, err
	}
	var p Pointer
	if err := strictjson.Unmarshal(parts[1], &p, strictjson.Options{RejectUnknown: true}); err != nil {
		return Pointer{}, err
	}
	if name != class && name != oldClass || p.Bucket == "" || p.Key == "" || climbs(p.Key) {
		return Pointer{}, errForm
	}
	return p, nil
}

// climbs reports whether a server that tidies paths could find another key, or even
// another bucket.
func climbs(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
