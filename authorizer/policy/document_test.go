package policy_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/policy"
)

func TestARN(t *testing.T) {
	aws := policy.ARN{Partition: "aws", Region: "us-east-1", Account: "123456789012", API: "a1b2c3d4e5", Stage: "$default", Method: "GET"}
	with := func(change func(*policy.ARN)) policy.ARN {
		a := aws
		change(&a)
		return a
	}
	const prefix = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/"
	for text, want := range map[string]policy.ARN{
		prefix + "$default/GET":                         aws,
		prefix + "$default/GET/":                        with(func(a *policy.ARN) { a.Path = "/" }),
		prefix + "$default/GET/orders/42":               with(func(a *policy.ARN) { a.Path = "/orders/42" }),
		prefix + "$default/GET//orders//":               with(func(a *policy.ARN) { a.Path = "//orders//" }),
		prefix + "$default/GET/a:b/*?${x}":              with(func(a *policy.ARN) { a.Path = "/a:b/*?${x}" }),
		prefix + "prod/$connect":                        with(func(a *policy.ARN) { a.Stage, a.Method = "prod", "$connect" }),
		prefix + "$default/$default":                    with(func(a *policy.ARN) { a.Method = "$default" }),
		"arn:aws-cn:execute-api:cn-north-1:1:a/s/PUT/x": {Partition: "aws-cn", Region: "cn-north-1", Account: "1", API: "a", Stage: "s", Method: "PUT", Path: "/x"},
	} {
		a, err := policy.ParseARN(text)
		if err != nil || a != want || a.String() != text {
			t.Errorf("%s: %+v as %s, %v", text, a, a, err)
		}
	}
	for _, text := range []string{
		"", "arn", "arn:aws:execute-api", "arn:aws:s3:::bucket/a/b", prefix, prefix + "prod", prefix + "prod/", prefix + "/GET",
		"arn::execute-api:r:1:a/s/GET", "arn:aws:execute-api::1:a/s/GET", "arn:aws:execute-api:r::a/s/GET", "arn:aws:execute-api:r:1:/s/GET",
		"arn:aws:execute-api:r:1:a:b/s/GET", "ARN:aws:execute-api:r:1:a/s/GET",
	} {
		if a, err := policy.ParseARN(text); err == nil {
			t.Errorf("%s is %+v", text, a)
		}
	}
}

func TestADocumentTakesNoWildcardFromData(t *testing.T) {
	base := policy.ARN{Partition: "aws", Region: "us-east-1", Account: "1", API: "a", Stage: "prod", Method: "GET", Path: "/orders"}
	longest := strings.Repeat("a", 512-len(base.String()))
	for name, tt := range map[string]struct {
		change func(*policy.ARN)
		add    func(*policy.Document, policy.ARN) error
		want   string // "" is refused
	}{
		"one call":  {add: (*policy.Document).Allow, want: "GET/orders"},
		"all below": {add: (*policy.Document).AllowBelow, want: "GET/orders/*"},
		"all of a method": {
			change: func(a *policy.ARN) { a.Path = "" },
			add:    (*policy.Document).AllowBelow,
			want:   "GET/*",
		},
		"all of a stage": {
			change: func(a *policy.ARN) { a.Method, a.Path = "", "" },
			add:    (*policy.Document).AllowBelow,
			want:   "*",
		},
		"one denied": {add: (*policy.Document).Deny, want: "GET/orders"},
		"a route without path": {
			change: func(a *policy.ARN) { a.Method, a.Path = "$connect", "" },
			add:    (*policy.Document).Allow,
			want:   "$connect",
		},
		"a star in the path": {
			change: func(a *policy.ARN) { a.Path = "/orders/*" },
			add:    (*policy.Document).Allow,
		},
		"a star before all": {
			change: func(a *policy.ARN) { a.Path = "/*/orders" },
			add:    (*policy.Document).AllowBelow,
		},
		"a question mark": {
			change: func(a *policy.ARN) { a.Path = "/orders/?" },
			add:    (*policy.Document).Allow,
		},
		"a variable": {
			change: func(a *policy.ARN) { a.Path = "/${aws:userid}" },
			add:    (*policy.Document).Allow,
		},
		"a star as method": {change: func(a *policy.ARN) { a.Method = "*" }, add: (*policy.Document).Allow},
		"a star as stage": {
			change: func(a *policy.ARN) { a.Stage = "*" },
			add:    (*policy.Document).AllowBelow,
		},
		"a star as account": {
			change: func(a *policy.ARN) { a.Account = "*" },
			add:    (*policy.Document).Allow,
		},
		"no method": {change: func(a *policy.ARN) { a.Method = "" }, add: (*policy.Document).Allow},
		"half a segment": {
			change: func(a *policy.ARN) { a.Path = "orders" },
			add:    (*policy.Document).Allow,
		},
		"below a slash": {
			change: func(a *policy.ARN) { a.Path = "/orders/" },
			add:    (*policy.Document).AllowBelow,
		},
		"a method with a slash": {
			change: func(a *policy.ARN) { a.Method = "GET/orders" },
			add:    (*policy.Document).Allow,
		},
		"512 characters": {
			change: func(a *policy.ARN) { a.Path += longest },
			add:    (*policy.Document).Allow,
			want:   "GET/orders" + longest,
		},
		"513 characters": {
			change: func(a *policy.ARN) { a.Path += longest + "a" },
			add:    (*policy.Document).Allow,
		},
		"513 with what is ours": {
			change: func(a *policy.ARN) { a.Path += longest[1:] },
			add:    (*policy.Document).AllowBelow,
		},
	} {
		a := base
		if tt.change != nil {
			tt.change(&a)
		}
		var doc policy.Document
		err := tt.add(&doc, a)
		text, _ := json.Marshal(doc)
		if (err == nil) != (tt.want != "") || err == nil && !strings.Contains(string(text), `["arn:aws:execute-api:us-east-1:1:a/prod/`+tt.want+`"]`) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	zero, err := json.Marshal(policy.Document{})
	if err != nil || string(zero) != `{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["*"]}]}` {
		t.Errorf("%s, %v", zero, err)
	}
}

// What a document says is what IAM reads in it, for any ARNs that were allowed and
// denied, and any call.
func TestADocumentSaysWhatItWasTold(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	anARN := func() policy.ARN {
		a := policy.ARN{Partition: "aws", Region: "r", Account: "1", API: "api", Stage: "prod", Method: pick("GET", "PUT")}
		for range 1 + random.IntN(3) {
			a.Path += "/" + pick("a", "b", "*", "?", "${x}", "a*", "a", "b")
		}
		return a
	}
	for range 300 {
		var doc policy.Document
		allowed, denied := map[string]bool{}, map[string]bool{} // prefixes end in a slash
		for range random.IntN(9) {
			a := anARN()
			plain := !strings.ContainsAny(a.Path, "*?$")
			for _, do := range []struct {
				add  func(policy.ARN) error
				to   map[string]bool
				tail string
			}{
				{add: doc.Allow, to: allowed},
				{add: doc.AllowBelow, to: allowed, tail: "/"},
				{add: doc.Deny, to: denied},
			} {
				if random.IntN(2) == 0 {
					continue
				}
				if err := do.add(a); (err == nil) != plain {
					t.Fatalf("seed %d: %s: got %v, want an error: %t", seed, a, err, !plain)
				}
				if plain {
					do.to[a.String()+do.tail] = true
				}
			}
		}
		said := func(said map[string]bool, call string) bool {
			for s := range said {
				if s == call || strings.HasSuffix(s, "/") && strings.HasPrefix(call, s) {
					return true
				}
			}
			return false
		}
		iam := newIAM(t, doc)
		for range 100 {
			call := anARN().String()
			if want := said(allowed, call) && !said(denied, call); iam.allows(call) != want {
				t.Fatalf("seed %d: %s: got %t, want %t, by %v", seed, call, !want, want, iam)
			}
		}
	}
}
