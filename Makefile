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
# The image holds one file, so that file must need no other. `-static-executable` links in Swift's runtime, glibc, and
# libbpf, libelf and zlib from the archives in their Debian packages. lld, because gold warns at every link of glibc's
# plug-ins for name services: the agent asks for no user or group by name, and host names need none. Stripped, the binary
# is half the size. It is no position-independent executable: some that Swift 6.3 links as static-pie crash when started.
static_flags := --scratch-path .build-static -c release $(swift_flags) -Xswiftc -static-executable \
  -Xswiftc -Xclang-linker -Xswiftc -fuse-ld=lld -Xlinker -s
static_binary := .build-static/release/martlet
image_archive := .build-static/martlet-image.tar
linted := Package.swift Sources Tests

.PHONY: help run build static image test soak bench check-asan fuzz tidy format clean lint build-tests

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

static: ## build the agent without any library it would need at run time, into .build-static/release
	@.ci/install-packages build
	@swift build --product martlet $(static_flags) >&2

image: static ## build the container image around that one file, without a registry (an OCI archive; prints its digest)
	@.ci/install-packages image
	@.ci/image $(static_binary) $(image_archive)
	@echo "$(image_archive): $$(stat -c %s $(image_archive)) bytes; podman load -i, ctr images import and the like take it" >&2

test: ## lint, build and run every test this machine can run
	@.ci/install-packages test
	@$(MAKE) lint static build-tests
	@.ci/test

soak: build ## full-size load (wall ratio, CPU, lost events), floods, hashing of models, a minute each of mixed work recorded and replayed and with the filter on trial, and containers that come and go
	@.ci/install-packages test
	@.ci/soak .build/release/martlet $(RULES)
	@.ci/soak-flood .build/release/martlet
	@.ci/soak-recording .build/release/martlet $(RULES)
	@.ci/soak-models .build/release/martlet
	@.ci/soak-shadow .build/release/martlet $(RULES)
	@CHURN_CONTAINERS=3000 .ci/soak-churn .build/release/martlet
	@$(MAKE) build-tests
	@.ci/soak-matching $(BENCH_ARGS)

# A folder with Falco's rule files, and recordings made by `martlet record`: without them the bundled ones are used.
BENCH_ARGS ?=
bench: ## measure the way of an event through the parts: time and allocations (BENCH_ARGS="--falco FOLDER --recording FILE")
	@.ci/install-packages build
	@swift build --package-path Tests/Benchmarks --scratch-path .build-bench -c release >&2
	@.build-bench/release/martlet-bench $(BENCH_ARGS)
	@.build-bench/release/martlet-bench $(BENCH_ARGS) --scaling

check-asan: ## build for debugging with AddressSanitizer and run the tests of the parts
	@.ci/install-packages test
	@swift build --scratch-path .build-asan --sanitize address --build-tests
	@# Not for leaks: Swift keeps the case of an enumeration in spare bits of pointers, which the leak search cannot follow.
	@ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no swift test --skip-build --scratch-path .build-asan --sanitize address --disable-xctest \
	  --filter '^Martlet'

FUZZ_SECONDS ?= 60
fuzz: ## feed the readers of rules, conditions and rule tests with libFuzzer's inputs, for FUZZ_SECONDS
	@.ci/install-packages test
	@swift build --scratch-path .build-fuzz -c release -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld --product martlet-fuzz $(swift_flags) >&2
	@mkdir -p .build-fuzz/corpus
	@python3 .ci/fuzz-corpus .build-fuzz/corpus
	@SWIFT_BACKTRACE=enable=no .build-fuzz/release/martlet-fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
	  -artifact_prefix=.build-fuzz/ .build-fuzz/corpus

tidy: ## check format, imports and the style guide only
	@.ci/install-packages test
	@$(MAKE) lint build-tests
	@.ci/test --filter TidyTests

format: ## rewrite the Swift sources in the project's format
	@swift format --in-place --recursive --parallel $(linted)

clean: ## remove what building made
	@rm -rf .build .build-asan .build-bench .build-fuzz .build-test .build-static

lint:
	@swift format lint --strict --recursive --parallel $(linted)

build-tests:
	@swift build $(test_flags) --build-tests
