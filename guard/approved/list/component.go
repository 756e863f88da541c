package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"
)

// A component is one entry of a bill of materials.
type component struct {
	name    string
	version string // empty if it has none
	purl    string
	sum     string // as in go.sum; empty if it is not known
	note    string // what was replaced, and by what
}

// functionOf is the binary itself.
func functionOf(info *debug.BuildInfo) component {
	module, subpath := info.Main.Path, strings.TrimPrefix(strings.TrimPrefix(info.Path, info.Main.Path), "/")
	if module == "" { // built of files
		module, subpath = info.Path, ""
	}
	version := release(info.Main.Version)
	return component{name: info.Path, version: version, sum: info.Main.Sum, purl: purl(module, version, subpath)}
}

// componentsOf returns the modules, and the standard library first.
func componentsOf(info *debug.BuildInfo) []component {
	goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ") // experiments follow
	// The name is that of the Go vulnerability database, https://go.dev/doc/security/vuln/database.
	all := []component{{name: "stdlib", version: goVersion, purl: purl("stdlib", goVersion, "")}}
	for _, m := range info.Deps {
		all = append(all, moduleOf(m))
	}
	return all
}

func moduleOf(m *debug.Module) component {
	note := ""
	switch r := m.Replace; {
	case r == nil:
	case release(r.Version) == "":
		note = "replaced by the folder " + r.Path
		m = &debug.Module{Path: m.Path}
	default:
		note = "replaces " + m.Path + " " + m.Version
		m = r
	}
	c := component{name: m.Path, version: release(m.Version), sum: m.Sum, note: note}
	c.purl = purl(c.name, c.version, "")
	return c
}

// release returns a version, which a module of a folder does not have.
func release(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}

// purl keeps the case of a path, as most tools do and as Go reads paths. The
// specification wants lower case (https://github.com/package-url/purl-spec).
func purl(name, version, subpath string) string {
	dir, base := path.Split(name)
	return packageurl.NewPackageURL("golang", strings.TrimSuffix(dir, "/"), base, version, nil, subpath).ToString()
}

// identity is a UUID of what a binary is made of (version 8, RFC 9562).
func identity(info *debug.BuildInfo) string {
	id := sha256.Sum256([]byte(info.String()))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// created returns the time of a bill of materials, zero if there is none.
func created(info *debug.BuildInfo) (time.Time, error) {
	if epoch, ok := os.LookupEnv("SOURCE_DATE_EPOCH"); ok {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			return time.Parse(time.RFC3339, s.Value)
		}
	}
	return time.Time{}, nil
}
