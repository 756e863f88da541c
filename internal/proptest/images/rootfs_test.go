package images_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

// contextOf copies of a folder what BuildKit would send to the builder of an example.
func contextOf(t *testing.T, folder, example string) string {
	t.Helper()
	file, err := os.Open(examples + example + "/Dockerfile.dockerignore")
	must(t, err)
	defer file.Close()
	ignored, err := ignorefile.ReadAll(file)
	must(t, err)
	all, err := fsutil.NewFS(folder)
	must(t, err)
	sent, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: ignored})
	must(t, err)
	to := t.TempDir()
	must(t, sent.Walk(t.Context(), "", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		from, err := sent.Open(path)
		if err != nil {
			return err
		}
		defer from.Close()
		text, err := io.ReadAll(from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(to, filepath.Dir(path)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), text, 0o600)
	}))
	return to
}

// rootfs is what a stage has of its own: its base image is left out.
type rootfs struct {
	dir     string // its /
	workdir string
	user    string
	main    string // what Lambda starts
}

// build makes a target of a Dockerfile without Docker. It knows the instructions that
// ours have. What RUN runs, it runs on this machine, with the stage's /out.
func build(t *testing.T, d *dockerfile, context, target string, args ...string) *rootfs {
	t.Helper()
	given := append(variables{"TARGETARCH=" + runtime.GOARCH}, append(d.args, args...)...)
	stages := map[string]*rootfs{"": {dir: context}}
	for _, stage := range d.stages {
		// The entrypoint of AWS's base for compiled languages starts this file.
		s := &rootfs{dir: t.TempDir(), workdir: "/", main: "/var/runtime/bootstrap"}
		must(t, os.Chmod(s.dir, 0o755))
		stages[stage.Name] = s
		var env variables
		for _, command := range stage.Commands {
			if c, ok := command.(instructions.SupportsSingleWordExpansion); ok {
				must(t, c.Expand(env.expand))
			}
			switch c := command.(type) {
			case *instructions.ArgCommand:
				for _, arg := range c.Args {
					if value, ok := given.value(arg.Key); ok {
						env = append(env, arg.Key+"="+value)
					} else {
						env = append(env, arg.Key+"="+arg.ValueString())
					}
				}
			case *instructions.WorkdirCommand:
				s.workdir = s.absolute(c.Path)
				must(t, os.MkdirAll(s.dir+s.workdir, 0o755))
			case *instructions.CopyCommand:
				for _, source := range c.SourcePaths {
					s.copy(t, filepath.Join(stages[c.From].dir, source), s.absolute(c.DestPath), c.Chmod)
				}
			case *instructions.RunCommand:
				s.run(t, strings.Join(c.CmdLine, " "), env)
			case *instructions.UserCommand:
				s.user = c.User
			case *instructions.EntrypointCommand:
				s.main = c.CmdLine[0]
			case *instructions.CmdCommand: // for the base's entrypoint
			default:
				t.Fatalf("%s: the test cannot build this", command)
			}
		}
		if stage.Name == target {
			return s
		}
	}
	t.Fatalf("there is no stage %s", target)
	return nil
}

func (s *rootfs) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.workdir, path)
}

// copy copies a file to a path, or what is in a folder into a folder.
func (s *rootfs) copy(t *testing.T, from, to, mode string) {
	t.Helper()
	to = s.dir + to
	info, err := os.Stat(from)
	must(t, err)
	if info.IsDir() {
		must(t, os.CopyFS(to, os.DirFS(from)))
	} else {
		text, err := os.ReadFile(from)
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(to), 0o755))
		must(t, os.WriteFile(to, text, info.Mode()))
	}
	if mode == "" {
		return
	}
	bits, err := strconv.ParseUint(mode, 8, 32)
	must(t, err)
	must(t, filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, fs.FileMode(bits))
	}))
}

func (s *rootfs) run(t *testing.T, line string, env variables) {
	t.Helper()
	sh := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(line, " /out/", " "+s.dir+"/out/"))
	sh.Dir = s.dir + s.workdir
	sh.Env = append(append(os.Environ(), "GOFLAGS="), env...)
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// program writes a file that runs a program of the image as the image's user, who sees
// nothing but the image. Only root can do that: for others it runs the program where it
// lies.
func (s *rootfs) program(t *testing.T, path, file string) {
	t.Helper()
	line := "'" + s.dir + path + "'"
	if os.Getuid() == 0 {
		chroot, err := exec.LookPath("chroot")
		must(t, err)
		line = fmt.Sprintf("%s --userspec=%s:%[2]s '%s' %s", chroot, s.user, s.dir, path)
	} else {
		t.Logf("%s runs outside of a chroot: the test is not run by root", path)
	}
	must(t, os.WriteFile(file, []byte("#!/bin/sh\nexec "+line+"\n"), 0o700))
}

// extensions returns a folder of the programs that Lambda would start beside the function.
func (s *rootfs) extensions(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	files, err := os.ReadDir(s.dir + "/opt/extensions")
	must(t, err)
	for _, file := range files {
		s.program(t, "/opt/extensions/"+file.Name(), filepath.Join(folder, file.Name()))
	}
	return folder
}

// path is where a program sees a file of the image.
func (s *rootfs) path(file string) string {
	if os.Getuid() != 0 {
		return s.dir + file
	}
	return file
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
