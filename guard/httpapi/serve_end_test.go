package httpapi_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// A proxy takes the status and what comes of the body. Where its backend breaks
// off, what there is must not look whole.
func TestServeDoesNotSendHalfOfWhatIsBehindAProxy(t *testing.T) {
	for _, announced := range []bool{false, true} {
		backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if announced {
				w.Header().Set("Content-Length", "100")
			}
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		backend.Start()
		target, err := url.Parse(backend.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.ErrorLog = log.New(io.Discard, "", 0)
		if a := send(t, call{}, httpapi.Serve(proxy)); a.status != 500 || strings.Contains(a.body, "half") {
			t.Errorf("announced %t: %+v", announced, a)
		}
		backend.Close()
	}
}

// However much a handler writes to a HEAD, and however it does.
func TestServeKeepsNoBodyOfAHead(t *testing.T) {
	const chunk, chunks = 1 << 20, 64
	live := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	text := strings.Repeat("x", chunk)
	for name, write := range map[string]func(w io.Writer){
		"bytes":  func(w io.Writer) { _, _ = w.Write([]byte(text)) },
		"string": func(w io.Writer) { _, _ = io.WriteString(w, text) },
	} {
		_, err := serve(t, t.Context(), call{method: "HEAD"}, func(w http.ResponseWriter, _ *http.Request) {
			before := live()
			for range chunks {
				write(w)
			}
			if kept := live() - before; kept > chunk*chunks/4 {
				t.Errorf("%s: %d bytes are kept", name, kept)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheRecordOfAPanicHasTheRouteInsideServe(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(http.ResponseWriter, *http.Request) { panic("v") })
	var record bytes.Buffer
	send(t, call{path: "/items/a"}, httpapi.Serve(mux), guard.Log(logging.New(&record)))
	if !strings.Contains(record.String(), `"route":"GET /items/{id}"`) {
		t.Errorf("%s", record.String())
	}
}

func TestServeRemovesTheFilesOfAForm(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	body := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 1000) + "\r\n--b--\r\n"
	c := call{method: "POST", body: body, base64: true, headers: map[string]string{"content-type": "multipart/form-data; boundary=b"}}
	var opened []string
	h := func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(100); err != nil { // the rest to disk
			t.Fatal(err)
		}
		f, err := r.MultipartForm.File["f"][0].Open()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if named, ok := f.(interface{ Name() string }); ok {
			opened = append(opened, named.Name())
		}
		if len(opened) == 2 {
			panic("v")
		}
	}
	for _, panicked := range []bool{false, true} {
		if _, err := serve(t, t.Context(), c, h, guard.Recover()); guard.Panicked(err) != panicked {
			t.Error(err)
		}
	}
	if len(opened) != 2 {
		t.Fatal(opened)
	}
	for _, name := range opened {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left behind: %v", err)
		}
	}
}
