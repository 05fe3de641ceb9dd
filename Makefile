# `make` or `make help` tells the targets. Settings: FUZZTIME=5s, BENCH=., BENCHTIME=1s.

FUZZTIME  ?= 5s
BENCH     ?= .
BENCHTIME ?= 1s
GO        ?= go

.DEFAULT_GOAL := help
.PHONY: help build release demo test fast fuzz bench lint keygen

help: ## tell the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/oauth-agent, static and without debug information
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/oauth-agent ./cmd/oauth-agent

release: ## build dist: binaries for linux, what is in them (CycloneDX), their sums
	./deployments/release/build

demo: ## run agent, identity provider, API and page; open http://localhost:8080
	$(GO) run ./cmd/demo

test: ## pass everything: real authorization servers and a real browser included
	./test/run

fast: ## pass what needs no other program: format, vet, staticcheck, go test -race
	./test/run fast

fuzz: ## run every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) ./test/run fuzz

bench: ## run the benchmarks that match BENCH, each for BENCHTIME
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

lint: ## format, vet, staticcheck and go.mod
	./test/run format vet staticcheck tidy

keygen: ## print a fresh key, for cookie.encryption_keys and the like
	@$(GO) run ./cmd/oauth-agent keygen
