# Everything a developer does, and all that continuous integration does (.ci/run). `make` alone lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Where `make install` puts things.
PREFIX ?= /usr/local
DESTDIR ?=

# Release builds carry the Swift runtime where the toolchain allows it: one file to copy, and a faster start.
STATIC := $(wildcard $(dir $(shell readlink -f "$$(command -v swift)"))../lib/swift_static/linux)
RELEASE_FLAGS ?= $(if $(STATIC),--static-swift-stdlib)
PROGRAM := .build/release/sqlite-replicate

# The long targets run the tests in release mode, in a build folder of their own.
LONG := swift test -c release -Xswiftc -enable-testing --scratch-path .build-long --disable-xctest
SEEDS ?= 1..2000
# What is simulated: log, nodes that share a store; duo, two hosts with a store each and a witness; pair, without one.
MODEL ?= log
# Anything: what is rare goes wrong in most runs.
HARD ?=
SECONDS_OF_SOAK ?= 600
FAULTS ?= all
ROUNDS ?= 3
ONLY ?=
BENCH_MB ?= 64

.PHONY: help setup setup-servers demo demo-two-hosts test build release bench lint format docs install uninstall clean \
	histories soak faults simulate simulate-variants failover failover-faults two-hosts health-load durable-bench race merge-race shim-test

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: setup release ## Build the program and run its demonstration: replicate, restore to two moments, prove equality
	$(PROGRAM) demo

demo-two-hosts: setup release ## Two hosts with a store each, and a witness: each fault and its way back, as a table
	$(PROGRAM) demo --two-hosts

test: setup-servers ## Run all tests, those against real Litestream, MinIO and moto included
	@$(MAKE) --no-print-directory simulate MODEL=log SEEDS=1..2000
	@$(MAKE) --no-print-directory simulate MODEL=duo SEEDS=1..2000
	@$(MAKE) --no-print-directory simulate MODEL=pair SEEDS=1..2000
	@$(MAKE) --no-print-directory simulate MODEL=duo SEEDS=1..2000 HARD=1
	@$(MAKE) --no-print-directory simulate MODEL=pair SEEDS=1..2000 HARD=1
	@scripts/test.sh $(TEST_FLAGS)

setup: ## Install the system libraries that are missing
	@scripts/setup.sh

setup-servers: ## The same, and .venv with the servers that tests talk to
	@scripts/setup.sh --servers

build: setup ## Build everything in debug mode
	swift build

release: setup ## Build the program in release mode
	swift build -c release --product sqlite-replicate $(RELEASE_FLAGS)

bench: setup-servers release ## First copy, restore and lag beside Litestream; BENCH_MB=64 sets the size
	@.venv/bin/python scripts/bench.py --mb $(BENCH_MB) --program $(PROGRAM)

lint: ## Check format and house rules
	swift format lint --strict --recursive --parallel Sources Tests Examples Package.swift
	@scripts/tidy.sh

format: ## Format all sources in place
	swift format --in-place --recursive --parallel Sources Tests Examples Package.swift

docs: setup ## Build the documentation into .build-docs
	@scripts/docs.sh

install: release ## Install program and service files under PREFIX=/usr/local
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/sqlite-replicate
	for unit in sqlite-replicate sqlite-replicate-node sqlite-replicate-witness; do \
		install -D -m 644 Examples/systemd/$$unit.service $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service && \
		sed -i 's|/usr/local/bin|$(PREFIX)/bin|' $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service || exit 1; \
	done

uninstall: ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/sqlite-replicate
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/sqlite-replicate{,-node,-witness}.service

histories: setup-servers ## Long: random histories, restored and compared at every commit; SEEDS=1..2000
	HISTORY_SEEDS=$(SEEDS) $(LONG) --filter 'Histor(y|ies)Tests'

soak: setup-servers ## Long: levels and retention under load beside real Litestream; SECONDS_OF_SOAK=600
	SOAK_SECONDS=$(SECONDS_OF_SOAK) $(LONG) --filter SoakTests

faults: setup-servers shim-test ## Long: every fault point with every kind of fault; FAULTS=all
	FAULTS=$(FAULTS) $(LONG) --filter Fault

simulate: setup ## Long: the failover protocol in simulated time; MODEL=log, duo or pair, SEEDS=1..2000, HARD=1
	@swift build -c release --product simulate $(RELEASE_FLAGS)
	@.build/release/simulate $(MODEL) $(if $(HARD),--hard) $(SEEDS)

simulate-variants: setup ## Long: each rule of the failover protocol left out must be noticed within 5,000 seeds
	@swift build -c release --product simulate $(RELEASE_FLAGS)
	@.build/release/simulate $(MODEL) --variants

failover: setup-servers ## Long: real nodes, killed, stopped, cut off from their store and handed over; ROUNDS=50
	FAILOVER_ROUNDS=$(ROUNDS) FAILOVER_TTL_MS=6000 FAILOVER_AWAY_MS=60000 FAILOVER_LIMITS=1 \
		$(LONG) --no-parallel --filter ClusterProcessTests --skip FaultTests --skip TwoHostsTests --skip PairTests

two-hosts: setup-servers ## Long: two hosts with a store each, with a witness and without: each fault and its way back; ROUNDS=10
	TWO_HOSTS_ROUNDS=$(ROUNDS) FAILOVER_TTL_MS=6000 FAILOVER_LIMITS=1 \
		$(LONG) --no-parallel --filter 'ClusterProcessTests.*(TwoHostsTests|PairTests)'

failover-faults: setup-servers ## Long: each request of a takeover fails once, in each way
	FAILOVER_FAULTS=all $(LONG) --no-parallel --filter ClusterProcessTests.*FaultTests

health-load: release ## Long: a node's /health under 1,000 requests/s, and what that does to its lag; ROUNDS=3
	@scripts/setup.sh --load
	@scripts/health-load.py --program $(PROGRAM) --rounds $(ROUNDS)

durable-bench: setup-servers ## What commits that wait for the store cost, and what the write gate adds
	swift build -c release --product node-host $(RELEASE_FLAGS)
	@.venv/bin/python scripts/durable-bench.py .build/release/node-host

race: setup-servers release ## Long: the side-by-side race with Litestream; ROUNDS=3, ONLY=restore runs one line
	@scripts/race.sh $(PROGRAM) $(ROUNDS) $(ONLY)

merge-race: setup-servers release ## Long: what merging and snapshots cost beside Litestream; ROUNDS=3
	@scripts/merge-race.py --litestream .venv/bin/litestream --ours $(PROGRAM) --rounds $(ROUNDS)

shim-test: ## Build the tests' fault shim and check it
	@Tests/FaultShim/selftest.sh

clean: ## Remove what was built (.venv stays)
	rm -rf .build .build-long .build-docs .build-tools
