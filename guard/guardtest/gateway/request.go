package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
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

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

const (
	format1 = "1.0"
	format2 = "2.0"
)

// apiID is that of every API in this package, defaultStage that of an HTTP API.
const (
	apiID        = "lambdarmor"
	defaultStage = "$default"
)

// A request is what an event is made of.
type request struct {
	http      *http.Request
	route     Route
	variables map[string]string
	paths     paths
	header    http.Header // with what API Gateway adds, without what belongs to the connection
	body      []byte
	id        string // of the API, not of the function's invocation
	extended  string // the extended one; a REST API has two
	trace     string
	at        time.Time

	stage          string
	stageVariables map[string]string

	// What is known of the caller: at most one of these.
	admitted *admission // by a Lambda authorizer
	caller   *IAMCaller
	token    *jwtToken
}

func newRequest(w http.ResponseWriter, r *http.Request, maxBody int64) (*request, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	req := &request{http: r, body: body, id: newAPIRequestID(), at: time.Now().UTC()}
	req.extended = req.id
	req.header = forwardedHeader(r, len(body))
	req.trace = req.header.Get("X-Amzn-Trace-Id")
	return req, nil
}

// event is the payload for the function.
func (req *request) event(cfg HTTPAPIConfig) []byte {
	if cfg.Format == format1 {
		e := req.event1()
		if !cfg.CanonicalHeaders {
			e.MultiValueHeaders = req.lowerHeaders()
			e.Headers = lastOf(e.MultiValueHeaders)
		}
		return marshal(e)
	}
	return marshal(req.event2(cfg.FunctionURL))
}

// marshal leaves <, > and & as they are, as AWS does.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // only strings, numbers and maps of them
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (req *request) sourceIP() string {
	host, _, err := net.SplitHostPort(req.http.RemoteAddr)
	if err != nil {
		return req.http.RemoteAddr
	}
	return host
}

// domain is the Host header as it was sent, as the services have it. They are
// called at the usual port only; here the port stays, for the function to find
// its own address.
func (req *request) domain() (name, prefix string) {
	name = req.http.Host
	prefix = name
	if host, _, err := net.SplitHostPort(name); err == nil {
		prefix = host
	}
	prefix, _, _ = strings.Cut(prefix, ".")
	return name, prefix
}

// Headers that belong to the connection, and never pass a gateway; RFC 9110, section 7.6.1.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// forwardedHeader has the names in their canonical form, whatever they were.
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
	for _, name := range hopByHop {
		h.Del(name)
	}
	h.Set("Host", r.Host)
	h.Set("Content-Length", strconv.Itoa(bodySize))
	if !strings.Contains(h.Get("X-Amzn-Trace-Id"), "Root=") {
		h.Set("X-Amzn-Trace-Id", ids.TraceRoot())
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	h.Set("X-Forwarded-For", strings.Join(append(h.Values("X-Forwarded-For"), host), ", "))
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

func (req *request) lowerHeaders() map[string][]string {
	headers := make(map[string][]string, len(req.header))
	for name, values := range req.header {
		headers[strings.ToLower(name)] = values
	}
	return headers
}

// encodedBody returns the body as an event holds it. A body that claims to be
// text and is not UTF-8 cannot stand in JSON, and is base64 as well.
func (req *request) encodedBody() (body string, isBase64 bool) {
	if len(req.body) == 0 {
		return "", false
	}
	if isTextual(req.header.Get("Content-Type")) && utf8.Valid(req.body) {
		return string(req.body), false
	}
	return base64.StdEncoding.EncodeToString(req.body), true
}

// isTextual tells which content types API Gateway passes on as text. Forms are
// not among them, and neither is a body of no type.
func isTextual(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && mediaType == "" {
		return false
	}
	switch mediaType {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") ||
		strings.HasPrefix(mediaType, "application/") &&
			(strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml"))
}

// query returns the decoded values of each name, in the order in which they were sent.
func (req *request) query() url.Values { return req.http.URL.Query() }

// newAPIRequestID looks like API Gateway's.
func newAPIRequestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}
