package vault

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// name is the name of a secret or of a field in it.
type name struct {
	mount, path string
	field       string // "" for all
}

// parse reads "mount/path#field". mounts has the mounts of several segments, the
// longest first.
func parse(text string, mounts []string) (name, error) {
	whole, field, hasField := strings.Cut(text, "#")
	if hasField && field == "" {
		return name{}, guard.Reason("there is no field after the #")
	}
	mount, path, _ := strings.Cut(whole, "/")
	for _, m := range mounts {
		if below, found := strings.CutPrefix(whole, m+"/"); found {
			mount, path = m, below
			break
		}
	}
	for segment := range strings.SplitSeq(mount+"/"+path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return name{}, guard.Reason(`a name is "mount/path" or "mount/path#field"`)
		}
	}
	return name{mount: mount, path: path, field: field}, nil
}

// target is the path of the latest version in the API.
func (n name) target() string { return "/v1/" + escape(n.mount) + "/data/" + escape(n.path) }

func escape(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}
