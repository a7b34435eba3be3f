# poaid: `make demo` is where to start; CONTRIBUTING.md lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Two folders build the same bytes, and share what is in Go's build cache.
export GOFLAGS += -trimpath

BIN         := build/poaid
DEMO_FLAGS  ?=
TEST_FLAGS  ?= -p 2 -timeout 30m
BENCH_FLAGS ?=
SEED        ?= 1
BLOCKS      ?= 500

.DEFAULT_GOAL := build
.PHONY: build install demo test test-short sim lint fmt proto proto-check bench-chain bench-engine bench-blocktime clean help

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1\t/' | expand -t 16

build: ## build/poaid
	@scripts/build.sh $(BIN)

install: ## poaid into the folder of Go's binaries
	@dir=$$(go env GOBIN); dir=$${dir:-$$(go env GOPATH)/bin}; scripts/build.sh "$$dir/poaid"

demo: build ## a whole network on this machine that does real AI work
	@$(BIN) demo $(DEMO_FLAGS)

test: ## everything: unit, property, invariant and shadow-app tests, and runs on real processes
	go test $(TEST_FLAGS) ./...

test-short: ## what fits into a coffee break
	go test -short $(TEST_FLAGS) ./...

# What must have happened in a full run is asked of seed 1 alone: in others some of it is luck, and told.
sim: ## random operations over all modules, export and import in the middle, twice the same; SEED=2 BLOCKS=1000 for another run
	go test ./tests/simulation -run TestSimulation -v -timeout 60m -args -seed $(SEED) -blocks $(BLOCKS) -full=$(if $(filter 1-500,$(SEED)-$(BLOCKS)),true,false)

lint: ## golangci-lint, and detlint for consensus code
	@scripts/tools.sh lint
	.tools/golangci-lint run ./...
	go vet -vettool=$(CURDIR)/.tools/detlint ./...

fmt: ## format every file
	@scripts/tools.sh lint
	.tools/golangci-lint fmt ./...

proto: ## generate Go and OpenAPI from proto/
	@scripts/tools.sh proto
	scripts/protogen.sh

proto-check: proto ## fail where generated files are not up to date
	@git diff --exit-code --stat -- '*.pb.go' '*.pb.gw.go' docs/poaid.swagger.json
	@test -z "$$(git status --porcelain -- '*.pb.go' '*.pb.gw.go')" || { git status --short -- '*.pb.go' '*.pb.gw.go'; exit 1; }

bench-chain: ## tx/s and items/s against bank sends; BENCH_FLAGS=-write puts them into bench/RESULTS.md
	go run ./bench/chain $(BENCH_FLAGS)

bench-engine: ## the engine beside OpenBLAS, gonum, llama2.c and llama.cpp; BENCH_FLAGS="-llama2c RUN -llamacpp DIR -write bench/RESULTS.md"
	go run ./bench/engine $(BENCH_FLAGS)

bench-blocktime: ## interval between blocks of four local validators, with the beacon's proofs and without
	go run ./bench/blocktime $(BENCH_FLAGS)

clean: ## what make made; the tools in .tools stay
	rm -rf build .protodeps .tmp-openapi
