package images_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/opencontainers/go-digest"
)

// pinned is an image with a tag, for readers, and the digest that counts.
var pinned = regexp.MustCompile(`^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$`)

// notRoot is a user by number: the names of a base are unknown to who checks.
var notRoot = regexp.MustCompile(`^[1-9]\d*$`)

// faults is what "docker build --check" finds, and what breaks a rule of docs/images.md.
// The stage build is no image: it stays where it was built.
func faults(ctx context.Context, text string) (found []string, err error) {
	d, err := parse([]byte(text))
	if err != nil {
		return nil, err
	}
	source := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", d.text)
	source.Definition = &llb.Definition{}
	checked, err := dockerfile2llb.DockerfileLint(ctx, d.text, dockerfile2llb.ConvertOpt{
		MetaResolver: noImages{}, AllStages: true, SourceMap: source,
	})
	if err != nil {
		return nil, err
	}
	if checked.Error != nil {
		found = append(found, checked.Error.Message)
	}
	for _, w := range checked.Warnings {
		found = append(found, w.RuleName+": "+w.Detail)
	}
	images := map[string]bool{"scratch": true}
	for _, stage := range d.stages {
		base, err := d.args.expand(stage.BaseName)
		if err != nil {
			return nil, err
		}
		if !images[base] && (!pinned.MatchString(base) || strings.Contains(base, ":latest@")) {
			found = append(found, stage.Name+": not pinned: "+base)
		}
		user := ""
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.AddCommand:
				found = append(found, stage.Name+": ADD")
			case *instructions.UserCommand:
				user = c.User
			case *instructions.CopyCommand:
				if stage.Name != "build" && !images[c.From] && c.Chmod != "0755" {
					found = append(found, stage.Name+": not for every user: "+c.String())
				}
			case *instructions.LabelCommand:
				for _, label := range c.Labels {
					if label.Key == "com.amazonaws.lambda.feature.snapstart" {
						found = append(found, stage.Name+": SnapStart without the protocol")
					}
				}
			}
		}
		if stage.Name == "build" {
			continue
		}
		images[stage.Name] = true
		if !notRoot.MatchString(user) {
			found = append(found, stage.Name+": USER "+user)
		}
	}
	return found, nil
}

// noImages stands for the registries: of a base image nothing is known.
type noImages struct{}

func (noImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte("{}"), nil
}

func TestTheDockerfilesHaveNoFaults(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"orders", "cacheextension"} {
		found, err := faults(t.Context(), string(dockerfileOf(t, example).text))
		if err != nil {
			t.Errorf("%s: %v", example, err)
		}
		for _, fault := range found {
			t.Errorf("%s: %s", example, fault)
		}
	}
}

func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	good := string(dockerfileOf(t, "orders").text)
	const copied = "COPY --from=build --chmod=0755 /out/bootstrap /bootstrap\n"
	for _, tc := range []struct{ name, old, new, want string }{
		{name: "a base by its tag", old: "@sha256:8ac9", new: " #", want: "build: not pinned"},
		{name: "the latest base", old: "distroless/static:nonroot@", new: "distroless/static:latest@", want: "distroless: not pinned"},
		{name: "no user", old: "USER 65532\nENTRYPOINT", new: "ENTRYPOINT", want: "distroless: USER "},
		{name: "root", old: "USER 65532\nENTRYPOINT", new: "USER 0\nENTRYPOINT", want: "distroless: USER 0"},
		{name: "root by name", old: "USER 65532\nCMD", new: "USER root\nCMD", want: "al2023: USER root"},
		{name: "the mode of the checkout", old: copied, new: "COPY --from=build /out/bootstrap /bootstrap\n", want: "distroless: not for every user"},
		{name: "a file from elsewhere", old: copied, new: "ADD https://example.com/bootstrap /bootstrap\n", want: "distroless: ADD"},
		{name: "a secret argument", old: "ARG DIR=.\n", new: "ARG DIR=.\nARG GITHUB_TOKEN\n", want: "SecretsUsedInArgOrEnv"},
		{name: "a secret variable", old: copied, new: "ENV API_KEY=k\n" + copied, want: "SecretsUsedInArgOrEnv"},
		{name: "a shell for the function", old: `ENTRYPOINT ["/bootstrap"]`, new: "ENTRYPOINT /bootstrap", want: "JSONArgsRecommended"},
		{name: "an unknown variable", old: "/src/${DIR}", new: "/src/${DIRECTORY}", want: "UndefinedVar"},
		{name: "the label", old: copied, new: copied + "LABEL com.amazonaws.lambda.feature.snapstart=\"Allow\"\n", want: "distroless: SnapStart without the protocol"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, tc.old, tc.new, 1)
			if bad == good {
				t.Fatalf("the Dockerfile has no %q", tc.old)
			}
			found, err := faults(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(found, "\n"); !strings.Contains(all, tc.want) {
				t.Errorf("got %q, want %q", all, tc.want)
			}
		})
	}
}
