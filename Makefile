# What the README names: `make check` passes every test, `make build` makes the command.
GO      ?= go
TIMEOUT ?= 40m
# Where the corpus of real locks lies, if it is there; see `make corpus`.
PKGS    ?= ./...
TOOL     = $(GO) tool -modfile=tools/go.mod

.PHONY: build demo check format vet lint test short testbed bench clean

build:
	$(GO) build -trimpath -o pexko ./cmd/pexko

# demo builds, pushes and runs examples/api on this machine.
demo:
	hack/demo

# check is everything that a change must pass; CI runs nothing else.
check: format vet lint testbed test

format:
	@out=$$($(TOOL) gofumpt -l . 2>&1); [ -z "$$out" ] || { printf 'not gofumpt-formatted:\n%s\n' "$$out" >&2; exit 1; }

vet:
	$(GO) vet ./...

lint:
	$(TOOL) staticcheck ./...

testbed:
	hack/testbed up

# The testbed's environment tells the tests where its registry, bases and containers are.
test:
	@eval "$$(hack/testbed env)" && $(GO) test -timeout $(TIMEOUT) $(PKGS)

# short leaves out what needs the testbed.
short:
	$(GO) test -short ./...

# bench prints how images start, beside what else one could use.
BENCH_RUNS ?= 30
bench: build testbed
	@eval "$$(hack/testbed env)" && hack/bench/start.py --runs $(BENCH_RUNS)

clean:
	rm -f pexko
