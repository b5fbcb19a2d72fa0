# Every target is one step of somebody's day; `make` lists them. Nothing here needs an installed server.

GO       ?= go
FUZZTIME ?= 5s
SEEDS    ?= 2000
SEED     ?= $(shell date +%s)
N        ?= 1000000
CSV      ?= soak.csv

# The packages with goroutines of their own, where the race detector has something to find.
CONCURRENT = ./internal/owner/... ./internal/activity/... ./internal/membackend/... ./internal/engine/... ./internal/holes/... ./runtime/...

.DEFAULT_GOAL := help
.PHONY: help build generate check lint lintbench robust plugin golangci observe generated modules test race fuzz sim demo bench chaos plots soak compare npm ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## compile everything; the commands land in bin/
	$(GO) build ./...
	$(GO) build -o bin/ ./cmd/...

generate: ## write every durable_gen.go anew
	$(GO) generate ./...

check: lint generated modules ## all that needs no test run: lint, generated files, modules

lint: ## gofmt, vet, staticcheck, and durablegen's own linter
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) run ./cmd/durablegen lint -fail note ./...

generated: ## the generated files are what the generator writes, byte for byte
	$(GO) run ./cmd/durablegen check ./... ./lint/testdata/shop
	.ci/regenerate

modules: ## go.mod is tidy and the modules are what go.sum says
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) -C bench/compare list ../peer >/dev/null # its go.mod fits this one

test: ## run the tests
	$(GO) test -timeout 40m ./...

race: ## run the tests of the concurrent packages under the race detector
	$(GO) test -race -timeout 20m $(CONCURRENT)

fuzz: ## run every fuzz target for FUZZTIME (5s)
	.ci/fuzz $(FUZZTIME)

sim: ## SEEDS (2000) random worlds from SEED (now) on, and which worlds need each rule of the protocol
	@echo "seeds $(SEED) to $$(($(SEED) + $(SEEDS) - 1))"
	$(GO) test ./internal/sim -timeout 2h -v -run 'EndsOnce|Needed' -seed $(SEED) -seeds $(SEEDS) -ablate $(SEEDS)

demo: ## the membership example drives 200 applicants through itself, with crashes
	$(GO) run ./examples/membership -demo -crash

bench: ## run every workload of bench/ once
	$(GO) run ./bench

soak: ## N (1,000,000) orchestrations through a hub that keeps them for a minute, while 300 wait; samples and a plot land in CSV (soak.csv)
	$(GO) run ./bench -workload soak -n $(N) -timeout 12h -csv $(CSV)
	$(GO) -C bench/plot run . -title "soak" -o $(abspath $(CSV:.csv=.svg)) $(abspath $(CSV))

compare: ## check bench/compare, run it, and draw what came out: other systems beside this one; minutes of downloads and compiling first
	$(GO) -C bench/compare vet ./...
	$(GO) -C bench/compare test ./...
	$(GO) run ./bench -compare -csv docs/plots/compare.csv
	$(GO) -C bench/plot run . -logy -title "side by side" -o ../../docs/plots/compare.svg ../../docs/plots/compare.csv

lintbench: ## time the linter beside go vet on a module of 100 packages with 1,000 annotated functions
	$(GO) run ./bench/lint

robust: ## have the linter look at everything in std and nats.go, and what is used of x/tools, as if it were orchestrations
	$(GO) test ./lint -run ForeignCode -v -timeout 1h -foreign "std github.com/nats-io/nats.go/... $$($(GO) list -deps ./... | grep ^golang.org/x/tools | tr '\n' ' ')"

plugin: ## check lint/golangci, the plugin of golangci-lint, which is a module of its own
	$(GO) -C lint/golangci vet ./...
	$(GO) -C lint/golangci test ./...

golangci: ## build golangci-lint with the plugin, outside of the tree, and compare what both say; minutes of downloads, compiling and linting
	.ci/golangci

plots: ## check bench/plot, which draws the benchmarks' CSV files and is a module of its own
	$(GO) -C bench/plot vet ./...
	$(GO) -C bench/plot test ./...

observe: ## check runtime/otel, runtime/prometheus, deploy/worker and deploy/schemas, which are modules of their own
	@set -e; for module in runtime/otel runtime/prometheus deploy/worker; do \
		echo $$module; $(GO) -C $$module mod tidy -diff; $(GO) -C $$module vet ./...; $(GO) -C $$module test -race ./...; done
	$(GO) -C deploy/schemas mod tidy -diff
	$(GO) -C deploy/schemas vet ./...
	$(GO) -C deploy/schemas test ./... # manifests and image against the types of those who run them

npm: ## drive the HTTP API with the npm client of Durable Functions; needs Node.js and npm
	$(GO) vet -tags npm ./runtime/httpapi
	$(GO) tool staticcheck -tags npm ./runtime/httpapi
	$(GO) test -tags npm ./runtime/httpapi -run NpmClient -v -timeout 5m

chaos: ## break every part of a cluster of three servers under load, from SEED (now) on
	$(GO) run ./bench/chaos -seed $(SEED)

# The tests come last, so that the run closes with their own summary.
ci: build check race plots plugin observe npm ## what CI runs: also random worlds that nobody has seen
	$(GO) test ./internal/sim -run Fresh -v -fresh 25
	$(GO) test -timeout 40m ./...
