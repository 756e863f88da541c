package extension_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/extension"
)

// A whole extension: put its binary into the folder extensions of a layer.
func Example() {
	ctx := context.Background()
	ext, err := extension.Register(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := warmUp(ctx); err != nil {
		_ = ext.InitError(ctx, err)
		log.Fatal(err)
	}
	for event, err := range ext.Events(ctx) {
		if err != nil {
			_ = ext.ExitError(ctx, err)
			log.Fatal(err)
		}
		switch event := event.(type) {
		case extension.Invoke:
			log.Printf("%s until %v", event.RequestID, event.Deadline)
		case extension.Shutdown:
			log.Printf("the end: %s", event.Reason)
		}
	}
}

func warmUp(context.Context) error { return nil }

// An extension that sends logs elsewhere stores them as they come, and sends them at
// the next event, when the environment cannot be frozen.
func ExampleExtension_Subscribe() {
	ctx := context.Background()
	ext, err := extension.Register(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var lines spool
	if err := ext.Subscribe(ctx, extension.Telemetry{Streams: []extension.Stream{extension.Function}}, lines.store); err != nil {
		_ = ext.InitError(ctx, err)
		log.Fatal(err)
	}
	for event, err := range ext.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch event := event.(type) {
		case extension.Invoke:
			lines.send(ctx)
		case extension.Shutdown:
			last, stop := context.WithDeadline(ctx, event.Deadline.Add(-time.Second))
			_ = ext.Close(last) // takes what is still under way
			stop()
			lines.send(ctx)
		}
	}
}

// A spool keeps records until they are sent.
type spool struct {
	mu      sync.Mutex
	records []extension.Record
}

func (s *spool) store(_ context.Context, batch []extension.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.records) > 10_000 {
		return fmt.Errorf("the spool is full") // Lambda sends the batch again
	}
	s.records = append(s.records, batch...)
	return nil
}

func (s *spool) send(context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, record := range s.records {
		fmt.Println(record.Time.Format(time.RFC3339), record.Text())
	}
	s.records = nil
}

func ExampleRecord_Platform() {
	record := extension.Record{
		Type: "platform.report",
		Raw: json.RawMessage(`{"requestId":"6d68ca91-49c9-448d-89b8-7ca3e6dc66aa","status":"success",
			"metrics":{"durationMs":693.92,"billedDurationMs":694,"maxMemoryUsedMB":84,"memorySizeMB":128}}`),
	}
	switch p := record.Platform().(type) {
	case extension.Report:
		fmt.Printf("%s took %.0f ms and %d MB\n", p.RequestID, p.Metrics.DurationMs, p.Metrics.MaxMemoryUsedMB)
	case extension.LogsDropped:
		fmt.Println("lost", p.DroppedRecords)
	case nil:
		fmt.Println(record.Text())
	}
	// Output: 6d68ca91-49c9-448d-89b8-7ca3e6dc66aa took 694 ms and 84 MB
}

// A function that logs JSON sends objects, and any other sends strings.
func ExampleRecord_Text() {
	for _, raw := range []string{`"[INFO] Hello world\n"`, `{"level":"INFO","message":"Hello world"}`} {
		record := extension.Record{Type: "function", Raw: json.RawMessage(raw)}
		fmt.Println(record.Text())
	}
	// Output:
	// [INFO] Hello world
	//
	// {"level":"INFO","message":"Hello world"}
}
