package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// GitHub lets requests through whose body GitHub has signed, in
// X-Hub-Signature-256. A key is the text that was given as the webhook's
// secret. Refusals are those of [Standard].
//
// GitHub signs the body alone. X-GitHub-Event and X-GitHub-Delivery can be
// changed by whoever has seen a delivery, and it never gets too old: go by
// [DeliveryID], and by what the body says.
//
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func GitHub(keys Keys) guard.Middleware {
	return require(scheme{name: "github", read: readGitHub, parse: parseLine, identify: bodyDigest}, keys, nil)
}

func readGitHub(req *request.Request) (claim, error) {
	const header = "X-Hub-Signature-256"
	value := req.Header(header)
	if value == "" {
		return claim{}, missing(header)
	}
	digits, ok := strings.CutPrefix(value, "sha256=")
	mac, err := hex.DecodeString(digits)
	if !ok || err != nil || len(mac) != sha256.Size {
		return claim{}, malformed(header, "sha256= and 64 hexadecimal digits")
	}
	return claim{signatures: signatures{macs: [][]byte{mac}}}, nil
}

// parseText takes a key that is used as it is written.
func parseText(text string) (key, error) {
	if text == "" {
		return key{}, reason.New("empty")
	}
	return key{hash: sha256.New, secret: []byte(text)}, nil
}

// parseLine takes a key that was typed into one line. A break in it is one that
// a file or a console has added: no signature would be right.
func parseLine(text string) (key, error) {
	if strings.ContainsAny(text, "\r\n") {
		return key{}, reason.New("it has a line break")
	}
	return parseText(text)
}
