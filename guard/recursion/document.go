package recursion

import (
	"bytes"

	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/document"
)

// deepest is how many texts within each other are looked at: an SQS body with an SNS
// notification with the detail of an EventBridge event is three.
const deepest = 4

// document adds the counters of a JSON object, of the detail in it, and of the
// notification that it is. A text that is no object has none.
func (c *counter) document(text []byte, depth int) {
	if depth == 0 || !bytes.Contains(text, []byte(Member)) && !bytes.Contains(text, []byte(Attribute)) {
		return
	}
	members, ok := document.Members(text)
	if !ok {
		return
	}
	for _, m := range members {
		switch m.Name {
		case Member:
			c.add(string(m.Value))
		case "detail": // of EventBridge
			c.document(m.Value, depth-1)
		case "Message": // of SNS
			c.document(document.Text(m.Value), depth-1)
		case "MessageAttributes":
			c.notified(m.Value)
		}
	}
}

// notified adds the counter in the attributes of a notification:
//
//	{"lambdarmor.hops": {"Type": "Number", "Value": "3"}}
func (c *counter) notified(attributes []byte) {
	members, _ := document.Members(attributes)
	for _, m := range members {
		if m.Name != Attribute {
			continue
		}
		fields, _ := document.Members(m.Value)
		value := ""
		for _, f := range fields {
			if f.Name == "Value" {
				value = string(document.Text(f.Value))
			}
		}
		c.add(value)
	}
}
