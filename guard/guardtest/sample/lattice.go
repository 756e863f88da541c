package sample

import (
	"encoding/base64"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// lattice is the event of VPC Lattice: all values in lists, the query on the
// path as well as apart, and the client's address in X-Forwarded-For alone.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
func (b HTTPEvent) lattice() Event {
	if b.route != defaultRoute || b.stage != "" || b.basePath != "" {
		panic("sample: HTTP: VPC Lattice has no routes, no stages and no base path")
	}
	identity := map[string]string{"sourceVpcArn": "arn:aws:ec2:us-east-1:" + guardtest.AccountID + ":vpc/vpc-0b8276c84697e7339"}
	if b.iam != nil {
		identity["type"], identity["principal"] = "AWS_IAM", b.iam.Callers[0].ARN
	}
	// An HTTP API adds the same headers, and two more; it checks the caller as well.
	similar := b.Header("Host", b.host())
	similar.service = httpAPI1
	headers := similar.sent().Get("/multiValueHeaders").(map[string]any)
	delete(headers, "x-forwarded-proto")
	delete(headers, "x-forwarded-port")
	e := Of(guard.VPCLattice).
		Set("/method", b.method).
		Set("/path", b.url.RequestURI()).
		Set("/headers", headers).
		Delete("/queryStringParameters").
		Delete("/body").
		Set("/requestContext/identity", identity)
	e.name = b.method + " " + b.url.Path
	if query, _ := url.ParseQuery(b.url.RawQuery); len(query) > 0 {
		e = e.Set("/queryStringParameters", query)
	}
	if len(b.body) == 0 {
		return e
	}
	body, packed := string(b.body), b.base64 || !latticeText(b.header.Get("Content-Type")) || !utf8.Valid(b.body)
	if packed {
		body = base64.StdEncoding.EncodeToString(b.body)
	}
	return e.Set("/body", body).Set("/isBase64Encoded", packed)
}

// latticeText reports which content types VPC Lattice passes on as text.
func latticeText(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(media, "text/")
}
