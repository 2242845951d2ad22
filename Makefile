# `make up` shows Apus beside a Go backend; `make test` runs every test. Both install what they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build up down test bench clean soak kills tailing

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-7s %s\n", $$1, $$2}'

build: ## the release binary, .build/release/apus
	@scripts/setup.sh build
	@scripts/swift-build.sh --product apus
	@echo "built .build/release/apus"

up: ## build all, start Apus with the example shop under traffic, and say where to look
	@scripts/setup.sh demo
	@scripts/swift-build.sh --product apus
	@scripts/swift-build.sh --product recommendations
	@scripts/demo.sh start

down: ## stop what `make up` started; its data stays in .run/
	@scripts/demo.sh stop

test: ## every test: tidy, unit, conformance, Go, web, end to end
	@scripts/test.sh

bench: ## time every kernel (docs/benchmarks.md)
	@scripts/setup.sh build
	@scripts/bench.sh
MINUTES ?= 10
N ?= 100

soak: ## the storage simulation on new seeds for MINUTES=10; APUS_SIMULATION_SEED=N runs one again
	@scripts/soak.sh $(MINUTES)

kills: ## kill -9 under load N=100 times, and compare everything acknowledged
	@scripts/kills.sh $(N)

tailing: N = 50
tailing: ## kill -9 N=50 times while files are followed, rotated and truncated, and compare every line
	@scripts/tailing.sh $(N)

clean: ## remove everything built or fetched
	@scripts/demo.sh stop || true
	rm -rf .build .run Sources/Web/vendor
