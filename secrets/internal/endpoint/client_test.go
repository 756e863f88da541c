package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

func TestNoProxyIsAsked(t *testing.T) {
	var asked bool
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer proxy.Close()
	for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(variable, proxy.URL)
	}
	// net/http itself leaves localhost out, and reads the environment once.
	c, err := New("https://vault.invalid")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "/x", http.Header{}); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, secrets.ErrUnavailable)
	}
	if asked || c.http.Transport.(*http.Transport).Proxy != nil {
		t.Error("got a proxy of the environment, want none")
	}
}

// A resolver can say anything of a name.
func TestLocalhostHasToBeThisMachine(t *testing.T) {
	for address, fine := range map[string]bool{
		"127.0.0.1:2773": true, "127.8.8.8:1": true, "[::1]:2773": true,
		"10.0.0.1:2773": false, "[fe80::1]:2773": false, "0.0.0.0:2773": false, "localhost:2773": false, "": false,
	} {
		if err := loopbackOnly("tcp", address, nil); (err == nil) != fine {
			t.Errorf("%q: got %v, want refused %v", address, err, !fine)
		}
	}
}

func TestWhereLocalhostLeadsIsLookedAtAgain(t *testing.T) {
	c, err := New("http://localhost:1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.http.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "192.0.2.1:1")
	if err == nil || !strings.Contains(err.Error(), "not of this machine") {
		t.Errorf("got %v, want an address of this machine to be required", err)
	}
}

func TestWhatIsReadIsNotInflated(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["Accept-Encoding"])
	}))
	defer server.Close()
	c, err := New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := c.Get(t.Context(), "/x", http.Header{}); err != nil || string(a.Body) != "[]" {
		t.Errorf("got %s, %v, want no encoding to be asked for", a.Body, err)
	}
}

func TestPlainHTTPLeavesNotThisMachine(t *testing.T) {
	for address, local := range map[string]bool{
		"http://localhost:1": true, "http://127.0.0.1:1": true, "http://[::1]": true, "https://localhost": true, "https://vault.example:8200": false,
	} {
		if c, err := New(address); err != nil || c.Local() != local {
			t.Errorf("%s: got %+v, %v, want another client or an error", address, c, err)
		}
	}
	if _, err := New("http://vault.example:8200"); err == nil {
		t.Error("got no error, want plain http to another machine refused")
	}
}

func TestAnErrorLeavesTheTargetOut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	c, err := New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/target?x=y", "/target\x7f"} {
		_, err := c.Get(t.Context(), target, http.Header{})
		if !errors.Is(err, secrets.ErrUnavailable) || strings.Contains(err.Error(), "target") {
			t.Errorf("got %v, want %v without the target", err, secrets.ErrUnavailable)
		}
	}
}

// What stands where HTTP should be may be a value.
func TestAnErrorRepeatsNothingOfWhatIsNoHTTP(t *testing.T) {
	for _, answer := range []string{
		`{"SecretString":"hunter2"}`,
		"HTTP/1.1 hunter2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nhunter2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: hunter2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: hunter2\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: %hunter2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\nhunter2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhunter2",
		"HTTP/1.1 200 OK\r\nX: hunter2",
	} {
		c, err := New(saying(t, answer))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Get(t.Context(), "/x", http.Header{})
		if !errors.Is(err, secrets.ErrUnavailable) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
			t.Errorf("answer %q: got %v, want nothing of it", answer, err)
		}
	}
}

func TestAnErrorSaysWhyThereIsNoAnswer(t *testing.T) {
	c, err := New(saying(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for words, header := range map[string]http.Header{
		"EOF": {},
		`invalid header field value for "X-Token"`: {"X-Token": {"a\nb"}},
	} {
		if _, err := c.Get(t.Context(), "/x", header); !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %s in it", err, words)
		}
	}
}

// saying is a server that says a text to everyone, and hangs up.
func saying(t *testing.T, text string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Of another machine's server nobody expects an extension, nor that it starts
// beside the function.
func TestARefusalOfAnotherMachineIsNoMissingExtension(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c.local = false
	_, err = c.Get(t.Context(), "/x", http.Header{})
	if !errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, secrets.ErrOutsideInvocation) || strings.Contains(err.Error(), "extension") {
		t.Errorf("got %v, want %v alone", err, secrets.ErrUnavailable)
	}
}

// talkative quotes what it cannot read.
type talkative struct{}

func (*talkative) UnmarshalJSON(text []byte) error { return fmt.Errorf("cannot read %s", text) }

func TestAnErrorOfDecodeRepeatsNothingOfTheAnswer(t *testing.T) {
	for what, tc := range map[string]struct {
		text string
		into any
	}{
		"a name twice":      {text: `{"hunter2":1,"hunter2":2}`, into: new(map[string]int)},
		"another type":      {text: `{"hunter2":{"hunter2":1}}`, into: new(map[string]int)},
		"no JSON":           {text: `hunter2`, into: new(string)},
		"its own unmarshal": {text: `"hunter2"`, into: new(talkative)},
	} {
		err := Answer{Body: []byte(tc.text)}.Decode(tc.into)
		if err == nil || !strings.Contains(err.Error(), "cannot be read") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error without the answer", what, err)
		}
	}
}
