package xray

// Option changes [Trace].
type Option struct{ set func(*config) }

type config struct {
	service string
	payload bool
	texts   bool
}

// Service sets the annotation service, at most 200 bytes. Without it, it is the
// name of the function.
func Service(name string) Option {
	if name == "" || len(name) > longestName {
		panic("xray: Service needs a name of 1 to 200 bytes")
	}
	return Option{func(c *config) { c.service = name }}
}

// UnsafePayload adds the first 4 kB of the event and of the answer to the
// subsegment, as metadata: with every password, token and address that callers
// send. Everyone who may read traces can then read these. Use it where no real
// caller is: on a test stage.
func UnsafePayload() Option {
	return Option{func(c *config) { c.payload = true }}
}

// UnsafeErrorTexts adds the first 1 kB of the text of each error. Errors quote what
// they could not read, so passwords, tokens and addresses that callers send will be
// in the traces. Use it where no real caller is: on a test stage.
func UnsafeErrorTexts() Option {
	return Option{func(c *config) { c.texts = true }}
}
