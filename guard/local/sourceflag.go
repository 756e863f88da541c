package main

// sourceFlag is the value of -queue or -stream: absent, without a value, a name or false,
// and of -queue a URL.
type sourceFlag struct {
	set   bool
	value string
	off   bool
}

func (f *sourceFlag) String() string { return f.value }

func (f *sourceFlag) Set(value string) error {
	if value == "false" {
		*f = sourceFlag{off: true}
		return nil
	}
	if value == "true" { // without a value
		value = ""
	}
	*f = sourceFlag{set: true, value: value}
	return nil
}

// IsBoolFlag lets the flag be without a value.
func (f *sourceFlag) IsBoolFlag() bool { return true }
