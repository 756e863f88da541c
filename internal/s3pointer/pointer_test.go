package s3pointer

import (
	"strings"
	"testing"
)

func TestAPointerIsReadAsTheLibrariesWriteIt(t *testing.T) {
	want := Pointer{Bucket: "payloads", Key: "a/1"}
	for name, body := range map[string]string{
		"present": `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"payloads","s3Key":"a/1"}]`,
		"old":     `["com.amazon.sqs.javamessaging.MessageS3Pointer",{"s3BucketName":"payloads","s3Key":"a/1"}]`,
		"spaced":  ` [ "software.amazon.payloadoffloading.PayloadS3Pointer", {"s3Key":"a/1", "s3BucketName":"payloads"} ] `,
		"ours":    want.String(),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Parse(body); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
	if got, want := want.String(), `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"payloads","s3Key":"a/1"}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsNoPointerIsAnError(t *testing.T) {
	const class = `"software.amazon.payloadoffloading.PayloadS3Pointer"`
	for name, body := range map[string]string{
		"nothing":          ``,
		"no JSON":          `hunter2`,
		"an object":        `{"s3BucketName":"hunter2","s3Key":"a"}`,
		"an empty list":    `[]`,
		"no place":         `[` + class + `]`,
		"three parts":      `[` + class + `,{"s3BucketName":"hunter2","s3Key":"a"},1]`,
		"another class":    `["hunter2",{"s3BucketName":"b","s3Key":"a"}]`,
		"no class":         `[null,{"s3BucketName":"hunter2","s3Key":"a"}]`,
		"null":             `[` + class + `,null]`,
		"no bucket":        `[` + class + `,{"s3Key":"hunter2"}]`,
		"no key":           `[` + class + `,{"s3BucketName":"hunter2"}]`,
		"an empty key":     `[` + class + `,{"s3BucketName":"hunter2","s3Key":""}]`,
		"a way out":        `[` + class + `,{"s3BucketName":"b","s3Key":"../hunter2/a"}]`,
		"a way around":     `[` + class + `,{"s3BucketName":"b","s3Key":"a/./hunter2"}]`,
		"a number":         `[` + class + `,{"s3BucketName":"hunter2","s3Key":1}]`,
		"another member":   `[` + class + `,{"s3BucketName":"hunter2","s3Key":"a","region":"x"}]`,
		"a bucket twice":   `[` + class + `,{"s3BucketName":"hunter2","s3BucketName":"b","s3Key":"a"}]`,
		"another spelling": `[` + class + `,{"S3BucketName":"hunter2","s3Key":"a"}]`,
		"trailing data":    `[` + class + `,{"s3BucketName":"hunter2","s3Key":"a"}] x`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(body)
			if err == nil {
				t.Fatalf("got %+v, want an error", p)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}
