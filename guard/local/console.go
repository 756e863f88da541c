package main

import (
	"fmt"
	"io"
	"sync"
)

// A console takes the function's log and this command's own lines, one at a time.
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
