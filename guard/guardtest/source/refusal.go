package source

// A Refusal is why a service does not take a request: SQS a message, or Lambda an event.
type Refusal struct {
	Code string // of the service's error, such as InvalidMessageContents
	Text string // without values of the message
}

// Error returns the text and the code.
func (r *Refusal) Error() string { return "source: " + r.Text + " (" + r.Code + ")" }
