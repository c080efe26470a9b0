# apivideo: build, demonstrate and test the library. `make help` lists the targets.

# Somebody's own: with it, `cd` may go elsewhere, and prints where it went.
unexport CDPATH

CARGO ?= cargo
CC ?= cc
STRIP ?= strip
# A Rust target to build for, such as aarch64-unknown-linux-gnu, unless it is this machine.
TARGET :=
BUILD := build$(if $(TARGET),/$(TARGET))

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR := $(word 1,$(subst ., ,$(VERSION)))
MINOR := $(word 2,$(subst ., ,$(VERSION)))
# Before 1.0 every minor version has an ABI of its own.
ABI := $(if $(filter 0,$(MAJOR)),0.$(MINOR),$(MAJOR))
SONAME := libapivideo.so.$(ABI)

SHARED := $(BUILD)/lib/$(SONAME)
STATIC := $(BUILD)/lib/libapivideo.a
# What a program needs beside libapivideo.a (rustc --print native-static-libs).
STATIC_LIBS := -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc

# A target directory of its own: `cargo build` and `cargo test` leave other files of the same names
# in theirs.
LOCAL_API := $(or $(CARGO_TARGET_DIR),target)/debug/examples/local_api
CARGO_HOME ?= $(HOME)/.cargo
# With musl, Rust makes static programs unless it is told not to, and no shared libraries.
MUSL := $(if $(findstring -musl,$(TARGET)),--config 'build.rustflags = ["-Ctarget-feature=-crt-static"]')
# Panics tell where they are: in which crate, not where this machine keeps it.
CARGO_SHIP := CARGO_TARGET_DIR=$(BUILD)/cargo $(CARGO) rustc --locked --lib \
  --config 'build.rustflags = ["--remap-path-prefix=$(CARGO_HOME)/registry/src="]' \
  $(if $(TARGET),--target $(TARGET)$(GLIBC)) $(MUSL)
BUILT := $(BUILD)/cargo/$(if $(TARGET),$(TARGET)/)
SOURCES := Cargo.toml Cargo.lock build.rs $(shell find src -name '*.rs')

# A new file in the place of the old one, which a running program may have mapped, without what is there
# for debuggers; `make STRIP=true` leaves that in.
replace = cp $(1) $(2).new && $(STRIP) $(3) $(2).new && mv -f $(2).new $(2)

.PHONY: all
all: $(SHARED) $(STATIC) ## Build libapivideo.so and libapivideo.a into build/lib

.PHONY: shared
shared: $(SHARED) ## Build libapivideo.so alone

# One crate type at a time: with several, cargo silently passes no LTO.
$(SHARED): $(SOURCES)
	$(CARGO_SHIP) --release --crate-type cdylib
	@mkdir -p $(@D)
	$(call replace,$(BUILT)release/libapivideo.so,$@,--strip-unneeded)
	ln -sf $(SONAME) $(BUILD)/lib/libapivideo.so

# Without LTO: an archive with it clashes with any other Rust archive in a program. Nor is what Rust's
# standard library brings for LTO of any use then.
$(STATIC): $(SOURCES)
	$(CARGO_SHIP) --profile static --crate-type staticlib
	@mkdir -p $(@D)
	$(call replace,$(BUILT)static/libapivideo.a,$@,--strip-debug -R .llvmbc -R .llvmcmd)

TOOL := $(BUILD)/bin/apivideo

# `avtokens` is what it was called when it knew nothing but tokens.
# What it asks the system is in a folder for each.
$(TOOL): $(wildcard examples/c/apivideo/*.[ch] examples/c/apivideo/unix/*) include/apivideo.h $(SHARED)
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Wpedantic -Iinclude $(CPPFLAGS) $(CFLAGS) -o $@ $(filter %.c,$^) \
	  $(LDFLAGS) -L$(BUILD)/lib -lapivideo -pthread -Wl,-rpath,'$$ORIGIN/../lib'
	ln -sf apivideo $(@D)/avtokens

.PHONY: tool
tool: $(TOOL) ## Build the command-line tool, apivideo, into build/bin

.PHONY: local_api
local_api: ## Build the stand-in service
	$(CARGO) build --locked --example local_api

.PHONY: demo
demo: tool local_api ## Make tokens, upload with one, go on with that, and delete it, against the stand-in service
	@examples/c/demo.sh $(TOOL) $(LOCAL_API)

.PHONY: header
header: ## Make include/apivideo.h anew from src/ffi
	UPDATE_HEADER=1 $(CARGO) test --locked --quiet --test header the_committed_header_is_what_cbindgen_makes

# Test programs run by it find the same surroundings everywhere, and are ended if they hang.
LAUNCH := $(abspath tests/support/launch.py)
# Where time is of no account, as many at once as there are processors.
AT_ONCE := $(shell nproc 2>/dev/null || echo 2)

# First what bounds time, with nothing of ours beside it; then all else.
.PHONY: test
test: ## Install what the tests need, then run them all
	@case "$(CURDIR)" in *" "*) echo "the tests want a path without a space: $(CURDIR)" >&2; exit 1;; esac
	@tests/setup.sh
	$(MAKE) --no-print-directory all local_api tool
	@$(MAKE) --no-print-directory test-launch
	@$(MAKE) --no-print-directory test-network-timed test-c-timed
	@$(MAKE) --no-print-directory test-rust
	@$(MAKE) --no-print-directory -j$(AT_ONCE) --output-sync=target test-untimed
	@$(MAKE) --no-print-directory test-counts

.PHONY: test-untimed
test-untimed: test-c-memory test-network-others test-cpp test-languages test-official-clients test-install test-ffmpeg test-docs test-abi

.PHONY: test-again
test-again: ## Run all tests N times on a busy machine, and once in odd surroundings
	@tests/again.sh $(or $(N),1) $(abspath $(BUILD)/again) $(MAKE) --no-print-directory test

.PHONY: test-launch
test-launch: ## Test what the tests are run by
	@python3 -B tests/support/test_launch.py
	@$(LAUNCH) --as tests/support/again python3 -B tests/support/test_again.py

.PHONY: test-rust
test-rust: all local_api tool ## Run the Rust tests alone
	$(CARGO) test --locked $(RUST_LAUNCH)
# Each test program of cargo's is launched, too.
RUST_LAUNCH := --config 'target."cfg(all())".runner = ["$(LAUNCH)"]'

C_TESTS = $(MAKE) --no-print-directory -C tests/c LIB=$(abspath $(BUILD)/lib) OUT=$(abspath $(BUILD)/tests) \
  STATIC_LIBS="$(STATIC_LIBS)" LOCAL_API=$(abspath $(LOCAL_API))

.PHONY: test-c test-c-timed test-c-memory
test-c: all local_api ## Run the C tests alone
	@$(C_TESTS)
test-c-timed: all local_api
	@$(C_TESTS) timed
test-c-memory: all local_api
	@$(C_TESTS) memory

NETWORK_TESTS = $(MAKE) --no-print-directory -C tests/network LIB=$(abspath $(BUILD)/lib) \
  OUT=$(abspath $(BUILD)/tests/network) LOCAL_API=$(abspath $(LOCAL_API))

.PHONY: test-network test-network-timed test-network-others
test-network: all local_api ## Run the tests of behaviour on bad networks alone
	@$(NETWORK_TESTS)
test-network-timed: all local_api
	@$(NETWORK_TESTS) timed
test-network-others: all local_api
	@$(NETWORK_TESTS) others

.PHONY: test-cpp
test-cpp: all local_api ## Run the C++ tests alone
	@$(MAKE) --no-print-directory -C tests/cpp LIB=$(abspath $(BUILD)/lib) OUT=$(abspath $(BUILD)/tests/cpp) \
	  STATIC_LIBS="$(STATIC_LIBS)" LOCAL_API=$(abspath $(LOCAL_API))

include $(foreach it,install dist windows,packaging/$(it).mk)

REFERENCE := $(BUILD)/man/man3/apivideo.3
REFERENCE_SOURCES := $(wildcard include/*) $(wildcard docs/reference/*) $(wildcard examples/c/concepts/*.c)

$(REFERENCE): $(REFERENCE_SOURCES) Cargo.toml
	docs/reference/make.sh $(VERSION) $(BUILD)

.PHONY: docs
docs: $(REFERENCE) ## Make the reference: build/docs/html and build/man

.PHONY: test-docs
test-docs: docs all local_api ## Test the reference and its examples alone
	@BUILD=$(BUILD) LIB=$(abspath $(BUILD)/lib) $(LAUNCH) --as tests/docs/reference \
	  python3 -B tests/docs/test_reference.py
	@LIB=$(abspath $(BUILD)/lib) OUT=$(abspath $(BUILD)/tests/examples) LOCAL_API=$(abspath $(LOCAL_API)) \
	  $(LAUNCH) --as tests/docs/examples python3 -B tests/docs/test_examples.py

.PHONY: test-abi
test-abi: all local_api ## Compare the ABI with its records, and run an old program
	@LIB=$(abspath $(BUILD)/lib) OUT=$(abspath $(BUILD)/tests/abi) LOCAL_API=$(abspath $(LOCAL_API)) \
	  $(LAUNCH) --as tests/abi python3 -B tests/abi/test_abi.py

.PHONY: abi-record
abi-record: all ## Write down the ABI of this version, at its release
	@python3 -B tests/abi/abi.py record include/apivideo.h $(BUILD)/lib/libapivideo.so

# Programs of others, built from an installed library and run against the stand-in service.
LANGUAGES := cpp go python csharp java node
INSTALLED_PREFIX := $(abspath $(BUILD)/tests/prefix)
use_installed = mkdir -p $(BUILD)/tests/$@ && PREFIX=$(INSTALLED_PREFIX) LOCAL_API=$(abspath $(LOCAL_API)) \
  OUT=$(abspath $(BUILD)/tests/$@)

.PHONY: installed
installed: all docs
	@$(MAKE) --no-print-directory install PREFIX=$(INSTALLED_PREFIX) > /dev/null

.PHONY: test-languages $(LANGUAGES:%=test-language-%)
test-languages: $(LANGUAGES:%=test-language-%) ## Run the tests of the wrappers in other languages
$(LANGUAGES:%=test-language-%): test-language-%: installed local_api
	@$(use_installed) tests/languages/$*.sh

.PHONY: test-swift
test-swift: installed local_api ## Run those in Swift, whose toolchain is fetched once (4 minutes, 3 GB)
	@tests/languages/swift_toolchain.sh
	@$(use_installed) tests/languages/swift.sh

# What others wrote for the service, against the stand-in.
.PHONY: test-official-clients
test-official-clients: local_api ## Run the official clients of Node.js and Python, and a browser's part
	@LOCAL_API=$(abspath $(LOCAL_API)) OUT=$(abspath $(BUILD)/tests/official_clients) tests/official_clients/run.sh

.PHONY: test-schema
test-schema: local_api ## Hold the stand-in to the published OpenAPI document (a minute or two)
	@LOCAL_API=$(abspath $(LOCAL_API)) OUT=$(abspath $(BUILD)/tests/schema) tests/schema/run.sh

.PHONY: test-ffmpeg
test-ffmpeg: installed local_api ## Run a program that uses FFmpeg and this library
	@$(use_installed) tests/ffmpeg/run.sh

BENCHES := $(MAKE) --no-print-directory -C benches LIB=$(abspath $(BUILD)/lib) OUT=$(abspath $(BUILD)/benches) \
  CARGO=$(CARGO)

.PHONY: test-counts
test-counts: $(SHARED) ## Compare instructions, system calls, allocations and size with what was recorded
	@$(BENCHES) gate
	@$(LAUNCH) --as benches/test_counts python3 -B benches/test_counts.py
	@$(LAUNCH) --as benches/counts python3 -B benches/counts.py $(BUILD)/benches $(SHARED)

.PHONY: record-counts
record-counts: $(SHARED) ## Record them anew in benches/baseline.txt; the commit tells why
	@$(BENCHES) gate
	@python3 -B benches/counts.py $(BUILD)/benches $(SHARED) --record

.PHONY: bench
bench: $(SHARED) ## Measure against what people use instead, and print the table (some minutes; ONLY=uploading, a part)
	@benches/setup.sh
	@$(BENCHES) all
	@python3 -B benches/bench.py $(BUILD)/benches $(SHARED) $(ONLY)

.PHONY: record-bench
record-bench: ## The same, written into docs/BENCHMARKS.md
	@sed '/^<!-- What/q' docs/BENCHMARKS.md > $(BUILD)/benchmarks.md
	@echo >> $(BUILD)/benchmarks.md
	@$(MAKE) --no-print-directory bench > $(BUILD)/bench.log
	@sed -n '/^[0-9-]*, .* cores, /,$$p' $(BUILD)/bench.log >> $(BUILD)/benchmarks.md
	@mv $(BUILD)/benchmarks.md docs/BENCHMARKS.md

# What the README and the header promise, tried by machines: docs/PROOF.md.
include $(foreach it,supply coverage soak uploads fuzzing sanitizers,tests/proof/$(it).mk)

include $(foreach it,platforms windows macos,tests/platforms/$(it).mk)

.PHONY: proof-tools
proof-tools:
	@tests/setup.sh proof

.PHONY: proof
proof: proof-tools proof-supply proof-sanitizers proof-soak proof-upload proof-fuzzing proof-coverage ## Try everything that is promised, in some 25 minutes

.PHONY: proof-short
proof-short: proof-tools proof-supply-short proof-coverage-short proof-sanitizers-short proof-soak-short proof-fuzzing-short ## A part of it, in under 7 minutes

.PHONY: lint
lint: ## What CI asks of the sources
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

.PHONY: clean
clean: ## Remove everything that was built
	$(CARGO) clean
	rm -rf $(BUILD)

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
