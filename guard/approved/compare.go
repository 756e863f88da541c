package approved

import (
	"maps"
	"runtime/debug"
	"slices"
	"strings"
)

// Compare is [Check] for the build information of another binary, as
// [debug/buildinfo.ReadFile] reads it.
func Compare(list string, info *debug.BuildInfo) error {
	l, err := parse(list)
	if err != nil {
		return err
	}
	var differences []Difference
	if l.main != info.Path && l.main != wildcard {
		differences = append(differences, Difference{"main", "main", l.main, info.Path})
	}
	if l.goVersion != info.GoVersion && l.goVersion != wildcard {
		differences = append(differences, Difference{"go", "go", l.goVersion, info.GoVersion})
	}
	differences = append(differences, l.compareSettings(settingsOf(info))...)
	differences = append(differences, l.compareModules(modulesOf(info))...)
	if len(differences) > 0 {
		return &Error{differences}
	}
	return nil
}

func (l *list) compareSettings(found map[string]string) (differences []Difference) {
	_, any := l.settings[wildcard]
	for _, name := range names(l.settings, found) {
		want, listed := l.settings[name]
		got := found[name]
		switch {
		case name == wildcard, want == wildcard, got == want:
		case name == "-mod" && want == "vendor" && got == "":
			// No binary says where its sources were found.
		case name == "vcs.modified" && got == "true":
			differences = append(differences, Difference{"modified", name, "false", got})
		case !listed && (any || name == "vcs.modified" || isRevision(name)):
		default:
			differences = append(differences, Difference{"build", name, want, got})
		}
	}
	return differences
}

func (l *list) compareModules(found map[string]string) (differences []Difference) {
	vendored := l.settings["-mod"] == "vendor"
	for _, path := range names(l.modules, found) {
		want, listed := l.modules[path]
		got, linked := found[path]
		kind := "changed"
		switch {
		case got == want, vendored && got == withoutSum(want):
			continue
		case !listed:
			kind = "new"
		case !linked:
			kind = "gone"
		case got == withoutSum(want):
			kind = "no sum"
		case strings.Contains(got, "=>") || strings.Contains(want, "=>"):
			kind = "replaced"
		}
		differences = append(differences, Difference{kind, path, want, got})
	}
	return differences
}

// withoutSum returns a module's line as a vendored binary has it.
func withoutSum(line string) string {
	line, _, _ = strings.Cut(line, " h1:")
	return line
}

// names returns the keys of both, sorted.
func names(a, b map[string]string) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}
