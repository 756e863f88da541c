package reflected_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/internal/reflected"
)

func echo(_ context.Context, text string) (string, error) { return text, nil }

func TestAnAnswerIsKeptFromTheNext(t *testing.T) {
	h := reflected.Handler(lambda.NewHandler(echo))
	var answers [][]byte
	for i := range 100 { // the race detector has a pool forget some of them
		out, err := h.Invoke(t.Context(), fmt.Appendf(nil, `"answer %02d"`, i))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, out)
	}
	for i, out := range answers {
		if want := fmt.Sprintf(`"answer %02d"`, i); string(out) != want {
			t.Fatalf("%s became %s", want, out)
		}
	}
}

func TestAnswersAtOnceAreEachTheirOwn(t *testing.T) {
	h := reflected.Handler(lambda.NewHandler(echo))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			want := fmt.Sprintf(`"answer %d"`, i)
			for range 1000 {
				if out, err := h.Invoke(t.Context(), []byte(want)); err != nil || string(out) != want {
					t.Errorf("%s, %v, want %s", out, err, want)
					return
				}
			}
		})
	}
	all.Wait()
}

// closing has nothing to encode, which is how a function answers with a stream.
type closing struct {
	in     io.Reader
	closed bool
}

func (c *closing) Read(b []byte) (int, error) { return c.in.Read(b) }

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// Whatever a function takes and returns: the answer is that of aws-lambda-go.
func TestTheAnswerIsThatOfTheHandler(t *testing.T) {
	broken := errors.New("broken")
	for name, fn := range map[string]any{
		"text":        echo,
		"no answer":   func() error { return nil },
		"nothing":     func() {},
		"error":       func() (string, error) { return "x", broken },
		"reader":      func() (io.Reader, error) { return strings.NewReader("as it is"), nil },
		"buffer":      func() (*bytes.Buffer, error) { return bytes.NewBufferString("as it is"), nil },
		"unencodable": func() (chan int, error) { return nil, nil },
		"no function": 1,
	} {
		for _, opts := range [][]lambda.Option{nil, {lambda.WithSetEscapeHTML(true)}, {lambda.WithSetIndent("", "  ")}} {
			h := lambda.NewHandlerWithOptions(fn, opts...)
			for _, payload := range []string{`"a<b"`, `{`} {
				want, wantErr := h.Invoke(t.Context(), []byte(payload))
				got, err := reflected.Handler(h).Invoke(t.Context(), []byte(payload))
				if string(got) != string(want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("%s of %s: %q, %v, want %q, %v", name, payload, got, err, want, wantErr)
				}
			}
		}
	}
}

func TestAStreamIsReadToItsEndAndClosed(t *testing.T) {
	stream := &closing{in: io.MultiReader(strings.NewReader("one "), strings.NewReader("two"))}
	h := reflected.Handler(lambda.NewHandler(func() (io.Reader, error) { return stream, nil }))
	if out, err := h.Invoke(t.Context(), nil); err != nil || string(out) != "one two" || !stream.closed {
		t.Errorf("%q, %v, closed: %v", out, err, stream.closed)
	}
}

type plain struct{}

func (*plain) Invoke(context.Context, []byte) ([]byte, error) { return nil, nil }

func TestOtherHandlersAreLeftAlone(t *testing.T) {
	for _, h := range []lambda.Handler{nil, &plain{}, (*plain)(nil)} {
		if reflected.Handler(h) != h {
			t.Errorf("%#v was changed", h)
		}
	}
}
