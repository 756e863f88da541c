package approved

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// wildcard is the value that accepts any value, and the setting that accepts any other.
const wildcard = "*"

var errHeader = reason.New("approved: the list needs a line main: and a line go:")

// A list is what was approved.
type list struct {
	main, goVersion string
	settings        map[string]string // "*" accepts all that are not listed
	modules         map[string]string // what follows the path on a line
}

// parse is strict: what it does not understand is an error.
func parse(text string) (*list, error) {
	l := &list{settings: map[string]string{}, modules: map[string]string{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = oneSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := l.add(line); err != nil {
			return nil, fmt.Errorf("approved: line %d of the list: %w", number, err)
		}
	}
	if l.main == "" || l.goVersion == "" {
		return nil, errHeader
	}
	return l, nil
}

func (l *list) add(line string) error {
	// A path has no colon, https://go.dev/ref/mod#go-mod-file-ident.
	first, rest, _ := strings.Cut(line, " ")
	switch first {
	case "main:":
		return setOnce(&l.main, first, rest)
	case "go:":
		return setOnce(&l.goVersion, first, rest)
	case "build:":
		name, value, _ := strings.Cut(rest, "=")
		if rest != wildcard && (name == "" || value == "" || name == wildcard) {
			return fmt.Errorf("got %q, want build: NAME=VALUE or build: *", line)
		}
		return addOnce(l.settings, name, value)
	}
	if strings.Contains(first, ":") {
		return fmt.Errorf("got %q, want main:, go:, build: or the path of a module", first)
	}
	version, source, _ := strings.Cut(rest, " ")
	if version == "" {
		return fmt.Errorf("module %s has no version", first)
	}
	if source != "" && !isSum(source) && !strings.HasPrefix(source, "=> ") {
		return fmt.Errorf("module %s: %q is neither a sum nor a replacement", first, source)
	}
	return addOnce(l.modules, first, rest)
}

// setOnce and addOnce refuse a second value, because a reader might miss one of them.
func setOnce(to *string, name, value string) error {
	if value == "" {
		return fmt.Errorf("%s has no value", name)
	}
	if *to != "" {
		return fmt.Errorf("%s is listed twice", name)
	}
	*to = value
	return nil
}

func addOnce(to map[string]string, name, value string) error {
	if _, ok := to[name]; ok {
		return fmt.Errorf("%s is listed twice", name)
	}
	to[name] = value
	return nil
}

// isSum reports whether a field is a sum of go.sum. The length is that of a SHA-256
// in base64.
func isSum(field string) bool {
	const length = 44
	sum, ok := strings.CutPrefix(field, "h1:")
	return ok && len(sum) == length
}

// oneSpace makes one space of each run of white space, and none at the ends, so that
// a value has one spelling.
func oneSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

// Format returns the list that a binary agrees with. The binary may have been built
// with uncommitted changes: the list itself is one. Also such a list says
// vcs.modified=false.
func Format(info *debug.BuildInfo) string {
	var text strings.Builder
	fmt.Fprintf(&text, "main: %s\ngo: %s\n", info.Path, info.GoVersion)
	settings := settingsOf(info)
	if Vendored(info) {
		settings["-mod"] = "vendor"
	}
	if _, ok := settings["vcs.modified"]; ok {
		settings["vcs.modified"] = "false"
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !isRevision(name) {
			fmt.Fprintf(&text, "build: %s=%s\n", name, settings[name])
		}
	}
	text.WriteString("\n")
	modules := modulesOf(info)
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		fmt.Fprintf(&text, "%s %s\n", path, modules[path])
	}
	return text.String()
}

// isRevision reports whether a setting follows from the revision, which a list cannot
// name that is part of it.
func isRevision(setting string) bool {
	return setting == "vcs" || setting == "vcs.revision" || setting == "vcs.time"
}

// settingsOf leaves out the empty ones, as CGO_CFLAGS is mostly: they change nothing.
func settingsOf(info *debug.BuildInfo) map[string]string {
	settings := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		if value := oneSpace(s.Value); value != "" {
			settings[s.Key] = value
		}
	}
	return settings
}

// modulesOf returns what stands behind each module's path on its line.
func modulesOf(info *debug.BuildInfo) map[string]string {
	modules := make(map[string]string, len(info.Deps))
	for _, m := range info.Deps {
		text := m.Version + " " + m.Sum
		if r := m.Replace; r != nil {
			text = m.Version + " => " + r.Path + " " + r.Version + " " + r.Sum
		}
		modules[m.Path] = oneSpace(text)
	}
	return modules
}

// Vendored reports whether a binary lacks the sum of a module that has a version, as
// one does that was built from a vendor folder.
func Vendored(info *debug.BuildInfo) bool { return slices.ContainsFunc(info.Deps, lacksSum) }

// A module of a folder has the version (devel), or is replaced by such a one.
func lacksSum(m *debug.Module) bool {
	if m.Replace != nil {
		m = m.Replace
	}
	return m.Sum == "" && m.Version != "(devel)"
}
