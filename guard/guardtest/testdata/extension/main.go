// Command extension is an extension whose name says what it does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var (
	name = filepath.Base(os.Args[0])
	api  = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	id   string
)

type event struct {
	EventType      string `json:"eventType"`
	RequestID      string `json:"requestId"`
	ShutdownReason string `json:"shutdownReason"`
}

func main() {
	events := `{"events":["INVOKE","SHUTDOWN"]}`
	switch name {
	case "silent":
		time.Sleep(time.Hour)
	case "exits-before":
		os.Exit(3)
	case "misnamed":
		name, events = "another", `{"events":["INVOKE"]}`
	case "invoke-only", "killed":
		events = `{"events":["INVOKE"]}`
	case "shutdown-only", "environment":
		events = `{"events":["SHUTDOWN"]}`
	}
	status, answer := register(events)
	say("registered %d %s", status, answer)
	say("has pid %d", os.Getpid())
	if status != http.StatusOK {
		register(`{"events":["SHUTDOWN"]}`)
	}
	switch name {
	case "exits-in-init":
		os.Exit(0)
	case "never-ready":
		time.Sleep(time.Hour)
	case "init-error":
		post("init/error", "Config.Missing")
		os.Exit(1)
	case "telemetry":
		subscribe()
	case "environment":
		environ, _ := json.Marshal(os.Environ())
		say("environment %s", environ)
	}
	for {
		e := next()
		switch e.EventType {
		case "INVOKE":
			invoke(e)
		case "SHUTDOWN":
			say("shuts down, reason %s", e.ShutdownReason)
			if name == "ignores-shutdown" {
				time.Sleep(time.Hour)
			}
			os.Exit(0)
		}
	}
}

func invoke(e event) {
	say("invoke %s", e.RequestID)
	switch name {
	case "crashes":
		os.Exit(2)
	case "exit-error":
		post("exit/error", "Upload.Failed")
		os.Exit(1)
	case "slow":
		for {
			if _, err := os.Stat(os.Getenv("EXTENSION_AWAITS")); !errors.Is(err, os.ErrNotExist) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		say("done with %s", e.RequestID)
	}
}

// subscribe has the records of telemetry written to a file.
func subscribe() {
	file, err := os.OpenFile(os.Getenv("EXTENSION_RECORDS"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = file.Write(body) // at once, as several processes write to it
		}
		if err != nil {
			panic(err)
		}
	}))
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	body := `{"schemaVersion":"2025-01-29","types":["platform","function","extension"],"buffering":{"timeoutMs":25},` +
		`"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:` + port + `"}}`
	res, answer := ask("PUT", "../../2022-07-01/telemetry", body, "Lambda-Extension-Identifier", id)
	say("subscribed %d %s", res.StatusCode, answer)
}

func register(events string) (status int, answer string) {
	res, answer := ask("POST", "register", events, "Lambda-Extension-Name", name)
	if got := res.Header.Get("Lambda-Extension-Identifier"); got != "" {
		id = got
	}
	return res.StatusCode, answer
}

func next() (e event) {
	res, answer := ask("GET", "event/next", "", "Lambda-Extension-Identifier", id)
	if err := json.Unmarshal([]byte(answer), &e); err != nil || res.StatusCode != http.StatusOK {
		panic(fmt.Sprint(res.StatusCode, answer))
	}
	return e
}

func post(path, errorType string) {
	ask("POST", path, `{"errorMessage":"no"}`, "Lambda-Extension-Identifier", id, "Lambda-Extension-Function-Error-Type", errorType)
}

func ask(method, path, body string, header ...string) (*http.Response, string) {
	url, err := url.JoinPath(api, path)
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	header = append(header, "Lambda-Extension-Accept-Feature", "accountId")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		panic(err)
	}
	return res, string(answer)
}

// say writes a line that begins with the name of the file.
func say(format string, args ...any) {
	fmt.Printf("%s %s\n", filepath.Base(os.Args[0]), fmt.Sprintf(format, args...))
}
