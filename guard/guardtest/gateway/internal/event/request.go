package event

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// apiID is the id of every API in the test kit.
const apiID = "lambdarmor"

// A Request is what an event is made of.
type Request struct {
	HTTP      *http.Request
	Route     route.Route
	Variables map[string]string
	Paths     Paths
	Header    http.Header // with what a gateway adds, without what belongs to the connection
	Body      []byte
	ID        string // of the API, not of the function's invocation
	Extended  string // the extended one; a REST API has two
	Trace     string
	At        time.Time

	Stage          string
	StageVariables map[string]string

	// What is known of the caller: at most one of these.
	Admitted *Admission
	Caller   *Caller
	Token    *Token
}

// Paths are the forms of a request's path.
type Paths struct {
	Event    string // rawPath, or path
	Context  string // requestContext.http.path, or requestContext.path
	Resource string // what a policy names the request by
}

// Read reads a request; or it returns nil, and the status of the refusal.
func Read(w http.ResponseWriter, r *http.Request, maxBody int64) (req *Request, status int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return nil, http.StatusBadRequest // or the client is gone
	}
	req = &Request{HTTP: r, Body: body, ID: newAPIRequestID(), At: time.Now().UTC()}
	req.Extended = req.ID
	req.Header = forwardedHeader(r, len(body))
	req.Trace = req.Header.Get("X-Amzn-Trace-Id")
	return req, http.StatusOK
}

// ARN is what a policy names a request by. The path keeps its slashes.
func (req *Request) ARN() string {
	return fmt.Sprintf("arn:aws:execute-api:us-east-1:%s:%s/%s/%s/%s",
		guardtest.AccountID, apiID, req.Stage, req.HTTP.Method, strings.TrimPrefix(req.Paths.Resource, "/"))
}

func (req *Request) sourceIP() string { return sourceIP(req.HTTP) }

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// domain is the Host header as it was sent, as the services have it. They are
// called at the usual port only; here the port stays, for the function to find
// its own address.
func (req *Request) domain() (name, prefix string) {
	name = req.HTTP.Host
	prefix = name
	if host, _, err := net.SplitHostPort(name); err == nil {
		prefix = host
	}
	prefix, _, _ = strings.Cut(prefix, ".")
	return name, prefix
}

// forwardedHeader returns the headers that a gateway passes on, with canonical
// names.
func forwardedHeader(r *http.Request, bodySize int) http.Header {
	h := make(http.Header, len(r.Header)+6)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) { // of two spellings always in one order
		canonical := http.CanonicalHeaderKey(name)
		h[canonical] = append(h[canonical], r.Header[name]...)
	}
	for _, list := range r.Header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for _, name := range answer.HopByHop {
		h.Del(name)
	}
	h.Set("Host", r.Host)
	h.Set("Content-Length", strconv.Itoa(bodySize))
	if !strings.Contains(h.Get("X-Amzn-Trace-Id"), "Root=") {
		h.Set("X-Amzn-Trace-Id", ids.TraceRoot())
	}
	h.Set("X-Forwarded-For", strings.Join(append(h.Values("X-Forwarded-For"), sourceIP(r)), ", "))
	proto, port := "http", "80"
	if r.TLS != nil {
		proto, port = "https", "443"
	}
	if _, given, err := net.SplitHostPort(r.Host); err == nil {
		port = given
	}
	h.Set("X-Forwarded-Proto", proto)
	h.Set("X-Forwarded-Port", port)
	return h
}

func (req *Request) LowerHeaders() map[string][]string {
	headers := make(map[string][]string, len(req.Header))
	for name, values := range req.Header {
		headers[strings.ToLower(name)] = values
	}
	return headers
}

// encodedBody returns the body as an event holds it. A body that claims to be
// text and is not UTF-8 cannot stand in JSON, and is base64 as well.
func (req *Request) encodedBody() (body string, isBase64 bool) {
	if len(req.Body) == 0 {
		return "", false
	}
	if isTextual(req.Header.Get("Content-Type")) && utf8.Valid(req.Body) {
		return string(req.Body), false
	}
	return base64.StdEncoding.EncodeToString(req.Body), true
}

// isTextual reports which content types API Gateway passes on as text. Forms are
// not among them, and neither is a body of no type.
func isTextual(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return (err == nil || media != "") && (isPlainText(media) || strings.HasPrefix(media, "text/") ||
		strings.HasPrefix(media, "application/") && (strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")))
}

func isPlainText(media string) bool {
	return media == "application/json" || media == "application/javascript" || media == "application/xml"
}

// query returns the decoded values of each name, in the order in which they were sent.
func (req *Request) query() url.Values { return req.HTTP.URL.Query() }

// newAPIRequestID looks like API Gateway's.
func newAPIRequestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}
