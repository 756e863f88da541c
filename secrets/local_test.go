package secrets_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// fetchOne asks a source for one value.
func fetchOne(t *testing.T, src secrets.Source, ref secrets.Ref) secrets.Value {
	t.Helper()
	values, err := src.Fetch(t.Context(), []secrets.Ref{ref})
	if err != nil {
		return secrets.Value{Err: err}
	}
	if len(values) != 1 {
		t.Fatalf("got %d values, want 1", len(values))
	}
	return values[0]
}

func TestEnvReadsVariables(t *testing.T) {
	t.Setenv("PAYMENTS_API_KEY", "hunter2")
	t.Setenv("Mixed_case", "x")
	t.Setenv("DB_2_KEY_09", "digits")
	t.Setenv("EMPTY", "")
	env := secrets.Env()
	for name, want := range map[string]string{
		"PAYMENTS_API_KEY": "hunter2", "payments/api-key": "hunter2", "payments.api key": "hunter2", "Mixed_case": "x", "db-2/key 09": "digits",
	} {
		if v := fetchOne(t, env, secrets.Ref{Name: name}); string(v.Data) != want || v.Err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, v.Data, v.Err, want)
		}
	}
	for _, ref := range []secrets.Ref{
		{Name: "EMPTY"},
		{Name: "GONE"},
		{Name: ""},
		{Name: "PAYMENTS_API_KEY", Stage: "AWSPREVIOUS"},
		{Name: "PAYMENTS_API_KEY", Version: "1"},
	} {
		if v := fetchOne(t, env, ref); !errors.Is(v.Err, secrets.ErrNotFound) || v.Data != nil {
			t.Errorf("%v: got %q, %v, want %v", ref, v.Data, v.Err, secrets.ErrNotFound)
		}
	}
}

func TestTheVersionOfALocalValueFollowsTheValueAndTellsNothingOfIt(t *testing.T) {
	dir := t.TempDir()
	for kind, set := range map[string]func(text string){
		"Env": func(text string) { t.Setenv("API_KEY", text) },
		"Dir": func(text string) { write(t, filepath.Join(dir, "API_KEY"), text) },
	} {
		t.Run(kind, func(t *testing.T) {
			sources := map[string]func() secrets.Source{"Env": secrets.Env, "Dir": func() secrets.Source { return secrets.Dir(dir) }}
			src := sources[kind]()
			ref := secrets.Ref{Name: "API_KEY"}
			set("a")
			a := fetchOne(t, src, ref).Version
			set("b")
			b := fetchOne(t, src, ref).Version
			if a == b || fetchOne(t, src, ref).Version != b || len(a) < 16 { // 8 bytes in hex
				t.Errorf("got versions %q and %q, want two", a, b)
			}
			if v := fetchOne(t, src, secrets.Ref{Name: "API_KEY", Version: b}); string(v.Data) != "b" {
				t.Errorf("by its version: got %q, %v, want b", v.Data, v.Err)
			}
			if v := fetchOne(t, src, secrets.Ref{Name: "API_KEY", Version: a}); !errors.Is(v.Err, secrets.ErrNotFound) {
				t.Errorf("by the version before: got %q, %v, want %v", v.Data, v.Err, secrets.ErrNotFound)
			}
			if fetchOne(t, sources[kind](), ref).Version == b {
				t.Errorf("got version %q of another source as well, want one from which no value can be guessed", b)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDirReadsAFileForEachSecret(t *testing.T) {
	dir := t.TempDir()
	src := secrets.Dir(dir)
	for _, tc := range []struct{ name, text, want string }{
		{name: "api-key", text: "hunter2", want: "hunter2"},
		{name: "payments/api-key", text: "nested", want: "nested"},
		{name: "line", text: "hunter2\n", want: "hunter2"},
		{name: "dos", text: "hunter2\r\n", want: "hunter2"},
		{name: "lines", text: "a\nb\n\n", want: "a\nb\n"},
		{name: "binary", text: "\xff\x00\n", want: "\xff\x00\n"},
		{name: "as large as may be", text: strings.Repeat("x", 1<<20), want: strings.Repeat("x", 1<<20)},
	} {
		write(t, filepath.Join(dir, tc.name), tc.text)
		if v := fetchOne(t, src, secrets.Ref{Name: tc.name}); string(v.Data) != tc.want || v.Err != nil {
			t.Errorf("%s: got %.20q, %v, want %.20q", tc.name, v.Data, v.Err, tc.want)
		}
	}
}

// The kernel's own files say a page as their size and have less.
func TestAFileThatIsShorterThanItSaysIsNotTaken(t *testing.T) {
	const dir, file = "/sys/devices/system/cpu", "online"
	info, err := os.Stat(filepath.Join(dir, file))
	text, _ := os.ReadFile(filepath.Join(dir, file))
	if err != nil || info.Size() <= int64(len(text)) {
		t.Skip("no such file here")
	}
	if v := fetchOne(t, secrets.Dir(dir), secrets.Ref{Name: file}); !errors.Is(v.Err, secrets.ErrUnavailable) || v.Data != nil {
		t.Errorf("got %q, %v, want %v", v.Data, v.Err, secrets.ErrUnavailable)
	}
}

func TestDirEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api-key"), "hunter2")
	values, err := secrets.Dir(dir).Fetch(ctx, []secrets.Ref{{Name: "api-key"}})
	if !errors.Is(err, context.Canceled) || values != nil {
		t.Errorf("got %v, %v, want %v", values, err, context.Canceled)
	}
}

func TestDirFollowsWhatKubernetesSwaps(t *testing.T) {
	dir := t.TempDir()
	src := secrets.Dir(dir)
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "..2026_05_01", "api-key"), "hunter2")
	link("..2026_05_01", "..data")
	link("..data/api-key", "api-key")
	first := fetchOne(t, src, secrets.Ref{Name: "api-key"})

	write(t, filepath.Join(dir, "..2026_06_01", "api-key"), "hunter3")
	link("..2026_06_01", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	second := fetchOne(t, src, secrets.Ref{Name: "api-key"})
	if string(first.Data) != "hunter2" || string(second.Data) != "hunter3" || first.Version == second.Version {
		t.Errorf("got %q %s, then %q %s, %v, want hunter2 and hunter3 with versions of their own", first.Data, first.Version, second.Data, second.Version, second.Err)
	}
}

func TestDirLetsNothingOut(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "inside")
	write(t, filepath.Join(outside, "shadow"), hidden)
	write(t, filepath.Join(dir, "api-key"), "hunter2")
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 1<<20+1))
	write(t, filepath.Join(dir, "empty"), "")
	for from, to := range map[string]string{"out": "../shadow", "absolute": filepath.Join(outside, "shadow"), "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		err  error // nil: any that is final
	}{
		{name: "../shadow", err: secrets.ErrDenied},
		{name: "x/../../shadow"},
		{name: filepath.Join(outside, "shadow"), err: secrets.ErrDenied},
		{name: "out", err: secrets.ErrDenied},
		{name: "absolute", err: secrets.ErrDenied},
		{name: "loop", err: secrets.ErrDenied},
		{name: "api-key\x00", err: secrets.ErrDenied},
		{name: strings.Repeat("x", 5000), err: secrets.ErrDenied},
		{name: "large"},
		{name: "empty", err: secrets.ErrUnavailable},
		{name: "gone", err: secrets.ErrNotFound},
		{name: "api-key/x", err: secrets.ErrNotFound},
		{name: ".", err: secrets.ErrNotFound},
		{name: "", err: nil},
	} {
		v := fetchOne(t, secrets.Dir(dir), secrets.Ref{Name: tc.name})
		if v.Err == nil || v.Data != nil || tc.err != nil && !errors.Is(v.Err, tc.err) {
			t.Errorf("%.40q: got %.20q, %.200v, want %v", tc.name, v.Data, v.Err, tc.err)
		}
		if tc.err == nil && errors.Is(v.Err, secrets.ErrUnavailable) {
			t.Errorf("%.40q: got %v, want an error after which no stale value is served", tc.name, v.Err)
		}
	}
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		if err := os.Chmod(filepath.Join(dir, "api-key"), 0); err != nil {
			t.Fatal(err)
		}
		if v := fetchOne(t, secrets.Dir(dir), secrets.Ref{Name: "api-key"}); !errors.Is(v.Err, secrets.ErrDenied) {
			t.Errorf("a file that may not be read: got %v, want %v", v.Err, secrets.ErrDenied)
		}
	}
	if v := fetchOne(t, secrets.Dir(filepath.Join(dir, "gone")), secrets.Ref{Name: "x"}); !errors.Is(v.Err, secrets.ErrNotFound) {
		t.Errorf("no folder: got %v, want %v", v.Err, secrets.ErrNotFound)
	}
}

func TestARotationOfAFileIsSeenAfterTheTTL(t *testing.T) {
	dir, at := t.TempDir(), newClock()
	path := filepath.Join(dir, name)
	write(t, path, "hunter2")
	c := secrets.New(secrets.Dir(dir), secrets.Clock(at.Now), secrets.Jitter(0))
	first := mustGet(t, c, "hunter2")
	write(t, path, "hunter3")
	mustGet(t, c, "hunter2")
	at.move(5 * time.Minute)
	if second := mustGet(t, c, "hunter3"); second.Version() == first.Version() {
		t.Errorf("got version %q twice, want another one", second.Version())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	at.move(5 * time.Minute)
	mustFail(t, c, "secret_not_found", secrets.ErrNotFound)
}
