# "make help" lists the targets. Everything that is fetched or built goes into .cache.

GO       ?= go
PYTHON   ?= python3
PKG      = ./...
TEST     =
BENCH    = .
COUNT    = 1
FUZZTIME = 10s
BEFORE   =
ROUNDS   = 30

CACHE    = $(CURDIR)/.cache
SERVERS  = $(CACHE)/servers
TOOL     = $(GO) tool -modfile=$(CURDIR)/.ci/tools/go.mod
# Modules of their own, so that users of guard do not get what they require.
NESTED   = internal/proptest guard/approved/list guard/otel guard/xray examples/orders
MODULES  = . $(NESTED) .ci/tools .ci/compare

# How a function is built for Lambda.
DEPLOY   = CGO_ENABLED=0 GOOS=linux $(GO) build -tags lambda.norpc -trimpath -ldflags "-s -w"

.PHONY: help test ci format-check tidy-check vet staticcheck examples layers schema-suite wycheproof fuzz bench bench-ratio cache-figures benchstat size \
	fmt tidy servers lock-servers spin clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1	\2/p' Makefile | expand -t 16
	@echo
	@echo 'Variables: PKG=./guard/... TEST="-run Name -v" BENCH=regexp COUNT=10 FUZZTIME=10s'

test: servers ## all tests under the race detector, with the servers they need
	LAMBDARMOR_SERVERS="$(SERVERS)" $(GO) test -race -timeout 30m $(TEST) $(PKG)
	@for dir in $(NESTED); do echo "(cd $$dir && $(GO) test)"; \
	  (cd $$dir && LAMBDARMOR_SERVERS="$(SERVERS)" $(GO) test -race -timeout 30m $(TEST) ./...) || exit 1; done
	cd examples/orders && LAMBDARMOR_SERVERS="$(SERVERS)" $(GO) test -race -tags otel $(TEST) .

ci: ## all that has to pass before a change lands
	$(MAKE) format-check tidy-check vet staticcheck examples spin
	$(MAKE) test TEST=-count=1

format-check: ## fail on files that gofumpt would change
	@changed=$$(git ls-files '*.go' | xargs $(TOOL) gofumpt -l) && \
	if [ -n "$$changed" ]; then printf 'run "make fmt" for:\n%s\n' "$$changed"; exit 1; fi

tidy-check: ## fail on a go.mod or go.sum that is not tidy
	@for dir in $(MODULES); do echo "$(GO) -C $$dir mod tidy -diff"; $(GO) -C $$dir mod tidy -diff || exit 1; done

vet: ## go vet, all modules
	@for dir in . $(NESTED) .ci/compare .ci/size; do echo "(cd $$dir && $(GO) vet)"; (cd $$dir && $(GO) vet ./...) || exit 1; done
	cd examples/orders && $(GO) vet -tags otel ./...

staticcheck: ## staticcheck, all modules
	@for dir in . $(NESTED) .ci/compare .ci/size; do echo "(cd $$dir && staticcheck)"; (cd $$dir && $(TOOL) staticcheck ./...) || exit 1; done
	cd examples/orders && $(TOOL) staticcheck -tags otel ./...

examples: ## build every example for Lambda, into .cache/examples
	@for package in $$($(GO) list -f '{{if eq .Name "main"}}{{.Dir}}{{end}}' ./... | grep /examples/) "$(CURDIR)/examples/orders"; do \
	  for arch in arm64 amd64; do \
	    out="$(CACHE)/examples/$$arch/$${package#*/examples/}/bootstrap"; \
	    echo "$$out"; (cd "$$package" && GOARCH=$$arch $(DEPLOY) -o "$$out" .) || exit 1; \
	  done; \
	done
	cd examples/orders && GOARCH=arm64 $(DEPLOY) -tags lambda.norpc,otel -o "$(CACHE)/examples/arm64/orders-traced/bootstrap" .

layers: ## zip every extension among the examples as a layer, into .cache/layers
	@for package in $$(git grep -l '"github.com/lambdarmor/lambdarmor/guard/extension"' -- 'examples/*/main.go' | xargs -n 1 dirname); do \
	  for arch in arm64 amd64; do \
	    name="$${package##*/}"; out="$(CACHE)/layers/$$arch"; echo "$$out/$$name.zip"; rm -rf "$$out/$$name"; \
	    GOARCH=$$arch $(DEPLOY) -o "$$out/$$name/extensions/$$name" "./$$package" && chmod -R 755 "$$out/$$name" && \
	    (cd "$$out/$$name" && $(PYTHON) -m zipfile -c "../$$name.zip" extensions) || exit 1; \
	  done; \
	done

schema-suite: ## hold validate to the JSON-Schema-Test-Suite in the folder SUITE
	@test -d "$(SUITE)" || { echo 'say where it is: make schema-suite SUITE=<folder>'; exit 2; }
	JSON_SCHEMA_TEST_SUITE="$(abspath $(SUITE))" $(GO) test -count=1 -v -run Suite ./validate/schema

wycheproof: ## hold JWTs to Wycheproof's vectors in the folder SUITE
	@test -d "$(SUITE)" || { echo 'say where it is: make wycheproof SUITE=<folder testvectors_v1>'; exit 2; }
	WYCHEPROOF="$(abspath $(SUITE))" $(GO) test -count=1 -v -run Wycheproof ./authorizer/jwt

fuzz: servers ## run every fuzz target for FUZZTIME; their seeds are part of the tests
	@export LAMBDARMOR_SERVERS="$(SERVERS)" GO="$(GO)"; .ci/fuzz "$(FUZZTIME)" $(PKG) && \
	[ "$(PKG)" != ./... ] || for dir in $(NESTED); do (cd $$dir && "$(CURDIR)/.ci/fuzz" "$(FUZZTIME)" ./...) || exit 1; done

bench: .cache/middy/installed ## all benchmarks; for figures to compare: make -s bench COUNT=10 >new.txt
	@packages=$$(git grep -l '^func Benchmark' -- '*_test.go' ':!.ci' | xargs -n 1 dirname 2>/dev/null | sort -u | sed 's|^|./|'); \
	[ -z "$$packages" ] || $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $$packages
	@cd .ci/compare && LAMBDARMOR_MIDDY="$(CACHE)/middy" $(GO) test -run '^$$' -bench '$(BENCH)' -count $(COUNT) .

bench-ratio: .cache/middy/installed ## our handlers and middy beside a bare one; BEFORE=<another checkout> runs that in turn
	@cd .ci/compare && LAMBDARMOR_MIDDY="$(CACHE)/middy" $(GO) run ./ratio -rounds $(ROUNDS) \
	  $(if $(BEFORE),-before "$(abspath $(BEFORE))/.ci/compare")

# Without npm the benchmarks go on, and skip what runs in Node.
.cache/middy/installed: $(wildcard .ci/compare/middy/*)
	@rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && if npm ci --ignore-scripts --no-audit --no-fund --loglevel error >&2; then touch installed; \
	  else echo 'middy is not measured: npm ci has failed' >&2; fi

cache-figures: servers ## time, memory and requests of examples/cacheextension, for its README
	@CACHE_FIGURES=1 LAMBDARMOR_SERVERS="$(SERVERS)" $(GO) test -count=1 -v -timeout 10m -run FiguresOfTheCache ./internal/exampletest | grep -E '^(\||resident|FAIL|ok)'

benchstat: ## compare two outputs of bench: make benchstat OLD=old.txt NEW=new.txt
	@$(TOOL) benchstat $(OLD) $(NEW)

size: ## what each part adds to a function's binary and to its start
	@$(GO) run ./.ci/size

fmt: ## format all Go files
	@git ls-files --cached --others --exclude-standard '*.go' | xargs $(TOOL) gofumpt -l -w

tidy: ## tidy go.mod and go.sum of all modules
	for dir in $(MODULES); do $(GO) -C $$dir mod tidy || exit 1; done

servers: ## install the servers that tests run against, into .cache/servers
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "the test servers need Python 3.11 or later")'
	@$(PYTHON) .ci/servers/install.py "$(SERVERS)"

lock-servers: ## renew the lock files of the servers
	@PYTHON="$(PYTHON)" .ci/servers/lock "$(CACHE)/lock"

spin: ## install the model checker spin where that is possible
	@.ci/spin

clean: ## delete all that was fetched or built
	rm -rf .cache
