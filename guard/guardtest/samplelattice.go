package guardtest

import (
	"encoding/base64"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

// lattice is the event of VPC Lattice: all values in lists, the query on the
// path as well as apart, and the client's address in X-Forwarded-For alone.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
func (b HTTPBuilder) lattice(req *request) Event {
	e := Sample(guard.VPCLattice).
		Set("/method", b.method).
		Set("/path", b.url.RequestURI()).
		Set("/headers", latticeHeaders(req)).
		Delete("/queryStringParameters").
		Delete("/body").
		Set("/requestContext/identity", map[string]string{"sourceVpcArn": latticeVPC})
	e.name = b.method + " " + b.url.Path
	if query, _ := url.ParseQuery(b.url.RawQuery); len(query) > 0 {
		e = e.Set("/queryStringParameters", query)
	}
	if len(b.body) == 0 {
		return e
	}
	body, packed := string(b.body), b.base64 || !latticeText(req.header.Get("Content-Type")) || !utf8.Valid(b.body)
	if packed {
		body = base64.StdEncoding.EncodeToString(b.body)
	}
	return e.Set("/body", body).Set("/isBase64Encoded", packed)
}

const latticeVPC = "arn:aws:ec2:us-east-1:" + AccountID + ":vpc/vpc-0b8276c84697e7339"

func latticeHeaders(req *request) map[string][]string {
	headers := make(map[string][]string, len(req.header))
	for name, values := range req.header {
		switch name = strings.ToLower(name); name {
		case "x-forwarded-proto", "x-forwarded-port":
		default:
			headers[name] = values
		}
	}
	return headers
}

// latticeText tells which content types VPC Lattice passes on as text.
func latticeText(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(media, "text/")
}
