# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What `make run` watches with, and anything else to pass to `martlet run`.
RULES ?= rules
RUN_ARGS ?=

# Undeclared imports are errors: layers that are not enforced are decoration.
swift_flags := --explicit-target-dependency-import-check error
# Tests are built once, optimised as the agent is, in a place of their own so that `make run` stays incremental.
test_flags := --scratch-path .build-test -c release -Xswiftc -enable-testing $(swift_flags)
linted := Package.swift Sources Tests

.PHONY: help run build test soak tidy format clean lint build-tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then watch this node with the rules in RULES; alerts on stdout (RUN_ARGS="…" is passed on)
	@if [ "$$(id -u)" = 0 ] && [ -r /sys/kernel/btf/vmlinux ]; then \
	  exec .build/release/martlet run -r $(RULES) $(RUN_ARGS); \
	fi; \
	echo "watching needs root and a kernel with BTF; this is the bundled recording instead" >&2; \
	exec .build/release/martlet demo -r $(RULES)

build: ## build the agent into .build/release (packages it needs are installed first)
	@.ci/install-packages build
	@swift build -c release --static-swift-stdlib --product martlet $(swift_flags) >&2

test: ## lint, build and run every test this machine can run
	@.ci/install-packages test
	@$(MAKE) lint build-tests
	@.ci/test

soak: build ## full-size load, agent off and on in turn: wall ratio, CPU and lost events
	@.ci/install-packages test
	@.ci/soak .build/release/martlet $(RULES)

tidy: ## check format, imports and the style guide only
	@.ci/install-packages test
	@$(MAKE) lint build-tests
	@.ci/test --filter TidyTests

format: ## rewrite the Swift sources in the project's format
	@swift format --in-place --recursive --parallel $(linted)

clean: ## remove what building made
	@rm -rf .build .build-test

lint:
	@swift format lint --strict --recursive --parallel $(linted)

build-tests:
	@swift build $(test_flags) --build-tests
