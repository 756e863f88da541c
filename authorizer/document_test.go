package authorizer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"pgregory.net/rapid"
)

func TestARN(t *testing.T) {
	aws := authorizer.ARN{Partition: "aws", Region: "us-east-1", Account: "123456789012", API: "a1b2c3d4e5", Stage: "$default", Method: "GET"}
	with := func(change func(*authorizer.ARN)) authorizer.ARN {
		a := aws
		change(&a)
		return a
	}
	const prefix = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/"
	for text, want := range map[string]authorizer.ARN{
		prefix + "$default/GET":                         aws,
		prefix + "$default/GET/":                        with(func(a *authorizer.ARN) { a.Path = "/" }),
		prefix + "$default/GET/orders/42":               with(func(a *authorizer.ARN) { a.Path = "/orders/42" }),
		prefix + "$default/GET//orders//":               with(func(a *authorizer.ARN) { a.Path = "//orders//" }),
		prefix + "$default/GET/a:b/*?${x}":              with(func(a *authorizer.ARN) { a.Path = "/a:b/*?${x}" }),
		prefix + "prod/$connect":                        with(func(a *authorizer.ARN) { a.Stage, a.Method = "prod", "$connect" }),
		prefix + "$default/$default":                    with(func(a *authorizer.ARN) { a.Method = "$default" }),
		"arn:aws-cn:execute-api:cn-north-1:1:a/s/PUT/x": {Partition: "aws-cn", Region: "cn-north-1", Account: "1", API: "a", Stage: "s", Method: "PUT", Path: "/x"},
	} {
		a, err := authorizer.ParseARN(text)
		if err != nil || a != want || a.String() != text {
			t.Errorf("%s: %+v as %s, %v", text, a, a, err)
		}
	}
	for _, text := range []string{
		"", "arn", "arn:aws:execute-api", "arn:aws:s3:::bucket/a/b", prefix, prefix + "prod", prefix + "prod/", prefix + "/GET",
		"arn::execute-api:r:1:a/s/GET", "arn:aws:execute-api::1:a/s/GET", "arn:aws:execute-api:r::a/s/GET", "arn:aws:execute-api:r:1:/s/GET",
		"arn:aws:execute-api:r:1:a:b/s/GET", "ARN:aws:execute-api:r:1:a/s/GET",
	} {
		if a, err := authorizer.ParseARN(text); err == nil {
			t.Errorf("%s is %+v", text, a)
		}
	}
}

func TestADocumentTakesNoWildcardFromData(t *testing.T) {
	base := authorizer.ARN{Partition: "aws", Region: "us-east-1", Account: "1", API: "a", Stage: "prod", Method: "GET", Path: "/orders"}
	longest := strings.Repeat("a", 512-len(base.String()))
	for name, tt := range map[string]struct {
		change func(*authorizer.ARN)
		add    func(*authorizer.Document, authorizer.ARN) error
		want   string // "" is refused
	}{
		"one call":  {add: (*authorizer.Document).Allow, want: "GET/orders"},
		"all below": {add: (*authorizer.Document).AllowBelow, want: "GET/orders/*"},
		"all of a method": {
			change: func(a *authorizer.ARN) { a.Path = "" },
			add:    (*authorizer.Document).AllowBelow,
			want:   "GET/*",
		},
		"all of a stage": {
			change: func(a *authorizer.ARN) { a.Method, a.Path = "", "" },
			add:    (*authorizer.Document).AllowBelow,
			want:   "*",
		},
		"one denied":       {add: (*authorizer.Document).Deny, want: "GET/orders"},
		"all below denied": {add: (*authorizer.Document).DenyBelow, want: "GET/orders/*"},
		"a route without path": {
			change: func(a *authorizer.ARN) { a.Method, a.Path = "$connect", "" },
			add:    (*authorizer.Document).Allow,
			want:   "$connect",
		},
		"a star in the path": {
			change: func(a *authorizer.ARN) { a.Path = "/orders/*" },
			add:    (*authorizer.Document).Allow,
		},
		"a star before all": {
			change: func(a *authorizer.ARN) { a.Path = "/*/orders" },
			add:    (*authorizer.Document).AllowBelow,
		},
		"a question mark": {
			change: func(a *authorizer.ARN) { a.Path = "/orders/?" },
			add:    (*authorizer.Document).Allow,
		},
		"a variable": {
			change: func(a *authorizer.ARN) { a.Path = "/${aws:userid}" },
			add:    (*authorizer.Document).Allow,
		},
		"a star as method": {change: func(a *authorizer.ARN) { a.Method = "*" }, add: (*authorizer.Document).Allow},
		"a star as stage": {
			change: func(a *authorizer.ARN) { a.Stage = "*" },
			add:    (*authorizer.Document).AllowBelow,
		},
		"a star as account": {
			change: func(a *authorizer.ARN) { a.Account = "*" },
			add:    (*authorizer.Document).Allow,
		},
		"no method": {change: func(a *authorizer.ARN) { a.Method = "" }, add: (*authorizer.Document).Allow},
		"half a segment": {
			change: func(a *authorizer.ARN) { a.Path = "orders" },
			add:    (*authorizer.Document).Allow,
		},
		"below a slash": {
			change: func(a *authorizer.ARN) { a.Path = "/orders/" },
			add:    (*authorizer.Document).AllowBelow,
		},
		"a method with a slash": {
			change: func(a *authorizer.ARN) { a.Method = "GET/orders" },
			add:    (*authorizer.Document).Allow,
		},
		"512 characters": {
			change: func(a *authorizer.ARN) { a.Path += longest },
			add:    (*authorizer.Document).Allow,
			want:   "GET/orders" + longest,
		},
		"513 characters": {
			change: func(a *authorizer.ARN) { a.Path += longest + "a" },
			add:    (*authorizer.Document).Allow,
		},
		"513 with what is ours": {
			change: func(a *authorizer.ARN) { a.Path += longest[1:] },
			add:    (*authorizer.Document).AllowBelow,
		},
	} {
		a := base
		if tt.change != nil {
			tt.change(&a)
		}
		var doc authorizer.Document
		err := tt.add(&doc, a)
		text, _ := json.Marshal(doc)
		if (err == nil) != (tt.want != "") || err == nil && !strings.Contains(string(text), `["arn:aws:execute-api:us-east-1:1:a/prod/`+tt.want+`"]`) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	zero, err := json.Marshal(authorizer.Document{})
	if err != nil || string(zero) != `{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["*"]}]}` {
		t.Errorf("%s, %v", zero, err)
	}
}

// What a document says is what IAM reads in it: of any ARNs that were allowed
// and denied, and any call.
func TestADocumentSaysWhatItWasTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.SampledFrom([]string{"a", "b", "*", "?", "${x}", "a*"})
		arns := rapid.Custom(func(t *rapid.T) authorizer.ARN {
			return authorizer.ARN{
				Partition: "aws", Region: "r", Account: "1", API: "api", Stage: "prod",
				Method: rapid.SampledFrom([]string{"GET", "PUT"}).Draw(t, "method"),
				Path:   "/" + strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(t, "path"), "/"),
			}
		})
		var doc authorizer.Document
		allowed, denied := map[string]bool{}, map[string]bool{} // prefixes end in a slash
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			a := arns.Draw(t, "arn")
			plain := !strings.ContainsAny(a.Path, "*?$")
			for _, do := range []struct {
				add  func(authorizer.ARN) error
				to   map[string]bool
				tail string
			}{{
				add: doc.Allow,
				to:  allowed,
			}, {
				add:  doc.AllowBelow,
				to:   allowed,
				tail: "/",
			}, {
				add: doc.Deny,
				to:  denied,
			}, {
				add:  doc.DenyBelow,
				to:   denied,
				tail: "/",
			}} {
				if !rapid.Bool().Draw(t, "add") {
					continue
				}
				if err := do.add(a); (err == nil) != plain {
					t.Fatalf("%s: %v", a, err)
				}
				if plain {
					do.to[a.String()+do.tail] = true
				}
			}
		}
		text, err := json.Marshal(doc)
		var p policy
		if err == nil {
			err = json.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		said := func(said map[string]bool, call string) bool {
			for s := range said {
				if s == call || strings.HasSuffix(s, "/") && strings.HasPrefix(call, s) {
					return true
				}
			}
			return false
		}
		for range 100 {
			call := arns.Draw(t, "call").String()
			if want := said(allowed, call) && !said(denied, call); p.allows(call) != want {
				t.Fatalf("%s is allowed: %t, by %s", call, !want, text)
			}
		}
	})
}
