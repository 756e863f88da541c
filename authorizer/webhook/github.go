package webhook

import (
	"crypto/sha256"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// GitHub accepts requests whose body GitHub has signed, in X-Hub-Signature-256. A
// key is the text that was set as the secret of the webhook. It returns the errors
// of [Standard].
//
// GitHub signs the body alone. X-GitHub-Event and X-GitHub-Delivery can be changed by
// anybody who has seen a delivery, and a delivery never expires. Rely on the body and
// on [DeliveryID].
//
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func GitHub(keys Keys) guard.Middleware {
	return scheme{name: "github", read: readGitHub, parse: oneLine, identify: bodyDigest}.layer(keys, nil)
}

func readGitHub(req *request.Request) (claim, error) {
	const header = "X-Hub-Signature-256"
	value := req.Header(header)
	if value == "" {
		return claim{}, missing(header)
	}
	digits, hasPrefix := strings.CutPrefix(value, "sha256=")
	mac := decodeHex(digits)
	if !hasPrefix || len(mac) != sha256.Size {
		return claim{}, malformed(header, "sha256= and 64 hexadecimal digits")
	}
	return claim{macs: [][]byte{mac}}, nil
}
