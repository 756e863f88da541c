package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A redirect to the path with a slash leads to the handler, behind every gateway.
func TestARedirectToTheSlashLeadsSomewhere(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/files/", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Path)) })
	mux.HandleFunc("/docs", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Path)) })
	own := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		return httpapi.Response{Body: []byte(r.Path)}, nil
	})
	for kind, h := range map[string]lambda.Handler{
		"Routes": httpapi.Routes(map[string]lambda.Handler{"/files/": own, "/docs": own}),
		"Serve":  httpapi.Serve(mux),
	} {
		f := guardtest.NewInProcess(guard.Wrap(h, httpapi.Problems(), guard.Recover()), guardtest.Config{})
		gateways := map[string]func() (http.Handler, error){
			"HTTP API":     func() (http.Handler, error) { return gateway.NewHTTPAPI(f, gateway.HTTPAPIConfig{}) },
			"HTTP API 1.0": func() (http.Handler, error) { return gateway.NewHTTPAPI(f, gateway.HTTPAPIConfig{Format: "1.0"}) },
			"base path": func() (http.Handler, error) {
				return gateway.NewHTTPAPI(f, gateway.HTTPAPIConfig{BasePath: "v1", Routes: []string{"ANY /{proxy+}"}})
			},
			"function URL": func() (http.Handler, error) {
				return gateway.NewHTTPAPI(f, gateway.HTTPAPIConfig{FunctionURL: true})
			},
			"REST": func() (http.Handler, error) {
				return gateway.NewRESTAPI(f, gateway.RESTAPIConfig{Routes: []string{"ANY /{proxy+}"}})
			},
			"REST, a base path": func() (http.Handler, error) {
				return gateway.NewRESTAPI(f, gateway.RESTAPIConfig{Routes: []string{"ANY /{proxy+}"}, BasePath: "v1"})
			},
			"REST, a stage": func() (http.Handler, error) {
				return gateway.NewRESTAPI(f, gateway.RESTAPIConfig{Routes: []string{"ANY /{proxy+}"}, StageInPath: true})
			},
			"ALB": func() (http.Handler, error) { return gateway.NewALB(f, gateway.ALBConfig{}) },
		}
		for name, open := range gateways {
			if kind == "Serve" && (name == "base path" || strings.HasPrefix(name, "REST")) {
				continue // see Serve: a mux goes by the path that it is shown
			}
			g, err := open()
			if err != nil {
				t.Fatal(err)
			}
			front := ""
			switch name {
			case "base path", "REST, a base path":
				front = "/v1"
			case "REST, a stage":
				front = "/prod"
			}
			for _, path := range []string{"/files", "/files/", "/files/a", "/files/a/", "/docs", "/docs/"} {
				at, hops := "https://api.shop.example"+front+path, 0
				for ; hops < 5; hops++ {
					w := httptest.NewRecorder()
					g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, at, nil))
					if w.Code < 300 || w.Code > 399 {
						if w.Code != http.StatusOK && path != "/docs/" {
							t.Errorf("%s, %s, %s: got %d %s at %s", kind, name, path, w.Code, w.Body, at)
						}
						break
					}
					here, _ := url.Parse(at)
					next, err := here.Parse(w.Header().Get("Location"))
					if err != nil {
						t.Fatal(err)
					}
					at = next.String()
				}
				if hops > 1 {
					t.Errorf("%s, %s, %s: got %d redirects, the last to %s", kind, name, path, hops, at)
				}
			}
		}
	}
}
