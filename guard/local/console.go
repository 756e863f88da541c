package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// A console takes the logs of the functions and this command's own lines, one at a time.
type console struct {
	mu sync.Mutex
	to io.Writer
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to.Write(b)
}

func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c, "guard/local: "+format+"\n", args...)
}

// labelled takes the log of another function, and begins every line with label.
func (c *console) labelled(label string) io.Writer { return &labelled{c, label} }

type labelled struct {
	console *console
	label   string
}

func (l *labelled) Write(b []byte) (int, error) {
	var text []byte
	for line := range bytes.Lines(b) {
		text = append(append(text, l.label...), line...)
	}
	_, err := l.console.Write(text)
	return len(b), err
}
