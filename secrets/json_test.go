package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

type database struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// The errors of its decoder repeat what it was given.
	Until time.Time `json:"until"`
	counted
}

// counted counts how often it is decoded.
type counted struct {
	N decodes `json:"n"`
}

var decoded int

type decodes struct{}

func (*decodes) UnmarshalJSON([]byte) error { decoded++; return nil }

func TestJSONIsDecodedOnceForEachVersion(t *testing.T) {
	c, v, at := newCache()
	decoded = 0
	for i, tc := range []struct {
		password, version string
		decoded           int
	}{{password: "hunter2", version: "1", decoded: 1}, {password: "hunter2", version: "1", decoded: 1}, {password: "hunter3", version: "2", decoded: 2}} {
		v.set(name, `{"user":"app","password":"`+tc.password+`","n":1}`, tc.version)
		at.move(5 * time.Minute)
		for range 3 {
			db, err := secrets.JSON[database](t.Context(), c, name)
			if err != nil || db.User != "app" || db.Password != tc.password || decoded != tc.decoded {
				t.Errorf("fetch %d: got %v, %v, decoded %d times, want %s, %d times", i, db, err, decoded, tc.password, tc.decoded)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = secrets.JSON[database](t.Context(), c, name) }); n > 0 {
		t.Errorf("%v allocations for one that is decoded, want none", n)
	}
	if m, err := secrets.JSON[map[string]any](t.Context(), c, name); err != nil || m["user"] != "app" {
		t.Errorf("as another type: got %v, %v, want the user app", m, err)
	}
}

func TestJSONIsStrictAndItsErrorsShowNothing(t *testing.T) {
	for rule, tc := range map[string]struct {
		text string
		opts []guard.DecodeOption
	}{
		"not JSON":         {text: `s3cr3t`},
		"empty":            {text: ``, opts: nil},
		"a member twice":   {text: `{"password":"s3cr3t","password":"s3cr3t2"}`},
		"a case variant":   {text: `{"Password":"s3cr3t"}`},
		"trailing data":    {text: `{"password":"s3cr3t"} s3cr3t`},
		"invalid UTF-8":    {text: "{\"password\":\"s3cr3t\xff\"}"},
		"null":             {text: `null`},
		"another type":     {text: `{"user":{"s3cr3t":1}}`},
		"an unknown name":  {text: `{"s3cr3t":1}`, opts: []guard.DecodeOption{guard.RejectUnknownMembers()}},
		"a string instead": {text: `"s3cr3t"`},
		"what repeats it":  {text: `{"until":"s3cr3t"}`},
	} {
		t.Run(rule, func(t *testing.T) {
			c, v, _ := newCache()
			v.set(name, tc.text, "1")
			for range 2 {
				db, err := secrets.JSON[database](t.Context(), c, name, tc.opts...)
				var e *guard.Error
				if !errors.As(err, &e) || e.Kind != guard.Internal || e.Code != "secret_malformed" || db != (database{}) {
					t.Fatalf("got %v, %v, want secret_malformed", db, err)
				}
				if strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), name) {
					t.Errorf("got %v, want the name and nothing of the value", err)
				}
			}
		})
	}
	c, v, _ := newCache()
	v.set(name, "", "") // neither a version nor a value
	if _, err := secrets.JSON[database](t.Context(), c, name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("an empty value: got %v, want an error with the name", err)
	}
	c.Invalidate(name, "")
	v.set(name, `{"user":"app","host":"db"}`, "1")
	if _, err := secrets.JSON[database](t.Context(), c, name); err != nil {
		t.Errorf("an unknown member: got %v, want it ignored", err)
	}
	if _, err := secrets.JSON[database](t.Context(), c, name, guard.RejectUnknownMembers()); err == nil {
		t.Error("an unknown member: got no error, want it rejected")
	}
	v.fail(secrets.ErrDenied)
	c.Invalidate(name, "")
	_, err := secrets.JSON[database](t.Context(), c, name)
	mustBe(t, err, "secret_denied", secrets.ErrDenied)
}

func TestWhatJSONMadeIsNotInTheMemoryThatIsCleared(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `{"raw":{"k":"hunter2"},"text":"hunter2","bytes":"aHVudGVyMg=="}`, "1")
	got, err := secrets.JSON[struct {
		Raw   json.RawMessage `json:"raw"`
		Text  string          `json:"text"`
		Bytes []byte          `json:"bytes"`
	}](t.Context(), c, name)
	if err != nil || string(got.Raw) != `{"k":"hunter2"}` || got.Text != "hunter2" || string(got.Bytes) != "hunter2" {
		t.Errorf("got %s, %s, %s, %v, want hunter2 in each", got.Raw, got.Text, got.Bytes, err)
	}
}

type keeping struct{ text []byte }

func (k *keeping) UnmarshalJSON(text []byte) error {
	k.text = text // which it must not
	return nil
}

func TestTheCopyThatJSONDecodesIsCleared(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `"hunter2"`, "1")
	if got, err := secrets.JSON[keeping](t.Context(), c, name); err != nil || strings.Contains(string(got.text), "hunter2") {
		t.Errorf("got %q, %v, want it cleared", got.text, err)
	}
}

type panicking struct{}

func (*panicking) UnmarshalJSON([]byte) error { panic("boom") }

func TestADecodingThatPanickedIsNoValue(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `1`, "1")
	for i := range 2 {
		func() {
			defer func() {
				if r := recover(); r != "boom" {
					t.Errorf("call %d: recovered %v, want the panic of the decoder", i+1, r)
				}
			}()
			got, err := secrets.JSON[panicking](t.Context(), c, name)
			t.Errorf("call %d: got %v, %v, want a panic", i+1, got, err)
		}()
	}
}

// A rotation between the use of a secret and its decoding must not mix the two.
// A fault of the program is not the secret's.
func TestATypeThatCannotBeDecodedIsNamed(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `{"user":"app"}`, "1")
	_, err := secrets.JSON[struct {
		User   string `json:"user"`
		Logins chan int
	}](t.Context(), c, name)
	if err == nil || !strings.Contains(err.Error(), "Logins") {
		t.Errorf("got %v, want an error that names the field", err)
	}
}

func TestDecodeReadsTheVersionThatTryHandsOut(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `{"user":"app","password":"hunter2"}`, "1")
	var used []string
	login := func(_ context.Context, s secrets.Secret) (string, error) {
		v.set(name, `{"user":"app","password":"hunter3"}`, "2")
		c.Invalidate(name, "1") // from now on Get and JSON have the next one
		db, err := secrets.Decode[database](s)
		if err != nil {
			return "", err
		}
		used = append(used, s.Version()+" "+db.Password)
		if s.Version() == "1" {
			return "", secrets.ErrRejected
		}
		return db.User, nil
	}
	if got, err := secrets.Try(t.Context(), c, name, login); err != nil || got != "app" {
		t.Errorf("got %q, %v", got, err)
	}
	if want := []string{"1 hunter2", "2 hunter3"}; !slices.Equal(used, want) {
		t.Errorf("the versions used are %q, want %q", used, want)
	}
}

func TestDecodeAndJSONDecodeOnce(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `{"user":"app","n":1}`, "1")
	decoded = 0
	s := mustGet(t, c, `{"user":"app","n":1}`)
	for range 3 {
		if db, err := secrets.Decode[database](s); err != nil || db.User != "app" {
			t.Errorf("Decode: got %v, %v", db.User, err)
		}
		if db, err := secrets.JSON[database](t.Context(), c, name); err != nil || db.User != "app" {
			t.Errorf("JSON: got %v, %v", db.User, err)
		}
	}
	if decoded != 1 {
		t.Errorf("decoded %d times, want once", decoded)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = secrets.Decode[database](s) }); n > 0 {
		t.Errorf("%v allocations for one that is decoded, want none", n)
	}
}

func TestDecodeIsStrictAndItsErrorsShowNothing(t *testing.T) {
	c, v, _ := newCache()
	v.set(name, `{"s3cr3t":1}`, "1")
	s := mustGet(t, c, `{"s3cr3t":1}`)
	for rule, tc := range map[string]struct {
		secret secrets.Secret
		names  string
	}{
		"an unknown name": {secret: s, names: name},
		"no secret":       {names: "no secret"},
	} {
		t.Run(rule, func(t *testing.T) {
			db, err := secrets.Decode[database](tc.secret, guard.RejectUnknownMembers())
			var e *guard.Error
			if !errors.As(err, &e) || e.Kind != guard.Internal || e.Code != "secret_malformed" || db != (database{}) {
				t.Fatalf("got %v, %v, want secret_malformed", db, err)
			}
			if strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), tc.names) {
				t.Errorf("got %v, want an error that names %s and nothing of the value", err, tc.names)
			}
		})
	}
}
