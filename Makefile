# What people and CI call; the work is in scripts/. `make` alone prints this list.
SHELL := /bin/sh
CARGO ?= cargo
.DEFAULT_GOAL := help
.PHONY: help setup build demo test check fmt bench quality fuzz soak fresh-machine clean

help: ## this list
	@echo 'make <target>:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

setup: ## install what is missing (Debian 12/13, Ubuntu 24.04), for building and for the tests
	@scripts/setup.sh test

# Each by itself, as in the Dockerfile: built together, the worker would get the server's features
# of what both use. Tests and demo take them together, which compiles the library once.
build: ## the release executables, target/release/mmsfit and mmsfit-worker
	@scripts/setup.sh build
	$(CARGO) build --release --locked -p mmsfit
	$(CARGO) build --release --locked -p mmsfit-worker

demo: ## adapt samples over gRPC for an old and a new handset; PHOTO=my.jpg takes your photo
	@scripts/demo.sh "$${PHOTO:-}"

test: ## set up and run every test
	@scripts/test.sh

check: ## formatting, lints, documentation, licences and bans, imports between rooms
	@scripts/check.sh

fmt: ## format the code
	$(CARGO) fmt --all

bench: ## micro-benchmarks: decode, resize, encode, fit, parse, frames, a whole message over gRPC
	@scripts/setup.sh build
	$(CARGO) bench --locked

quality: ## the fitting engine beside its peers and an oracle: PHOTOS=folder, HTML=page.html
	@scripts/setup.sh build
	$(CARGO) run --release --manifest-path benches/quality/Cargo.toml -- --photos "$(PHOTOS)" $(if $(HTML),--html "$(HTML)")

fuzz: ## every parser against libFuzzer, without end on demand: TARGET=pdu, SECONDS=60 each
	@scripts/fuzz.sh "$(TARGET)" "$(or $(SECONDS),60)"

soak: ## the service under load on the loopback, workers killed on the way: MINUTES=30 RATE=8
	@scripts/soak.sh "$(or $(MINUTES),2)" "$(or $(RATE),8)"

fresh-machine: ## prove demo and test in a bare chroot; SUITE=bookworm (default), trixie, noble
	@scripts/fresh-machine.sh $(SUITE)

clean: ## remove what was built
	$(CARGO) clean
