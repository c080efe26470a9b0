# How much of src/ the tests in Rust and in C run together: the library, the tests within it and those
# of tests/*.rs that are linked with it are built once more so that they count, and the C tests run with
# that library. Counters stand in the file itself (%c), so that those of a process that is killed, or
# leaves by _exit(), are not lost.

COVERAGE := $(abspath $(BUILD))/coverage
COVERAGE_TOOLS := llvm-profdata-22 llvm-cov-22
# Of this crate alone: what it is made of is there already. Build scripts count for nothing.
COUNTING := LLVM_PROFILE_FILE=/dev/null RUSTC_WORKSPACE_WRAPPER=$(abspath tests/proof/coverage/counting.sh)
# The others run programs: the stand-in service, compilers, and apivideo in an environment of its own.
COVERAGE_RUST = $(shell grep -rl '^use apivideo::' tests --include='*.rs' | sed 's|^tests/\([^/.]*\).*|\1|' | sort -u)
# Without the one that reads what the others have printed, and the one that links the static library.
COVERAGE_NETWORK := $(filter-out secrets_in_logs stack,$(basename $(notdir $(wildcard tests/network/*.c))))
COVERAGE_SET = LIB=$(COVERAGE)/lib OUT=$(COVERAGE)/$(1) LOCAL_API=$(abspath $(LOCAL_API))

.PHONY: proof-coverage
proof-coverage: local_api ## Count the lines that no test runs; each must be named with its reason
	@for tool in $(COVERAGE_TOOLS); do command -v $$tool > /dev/null || \
	  { echo "$$tool is missing (Debian: sudo apt-get install llvm-22)" >&2; exit 1; }; done
	@rm -rf $(COVERAGE)/counts $(COVERAGE)/rust && mkdir -p $(COVERAGE)/counts $(COVERAGE)/rust $(COVERAGE)/lib
	@python3 -B tests/proof/coverage/test_coverage.py
	$(COUNTING) $(CARGO_SHIP) --profile static --crate-type cdylib
	@cp $(BUILT)static/libapivideo.so $(COVERAGE)/lib/$(SONAME)
	@ln -sf $(SONAME) $(COVERAGE)/lib/libapivideo.so
	@: > $(COVERAGE)/lib/libapivideo.a # asked for, but linked with nothing
	$(COUNTING) $(CARGO) test --locked --no-run --lib $(COVERAGE_RUST:%=--test %) \
	  --message-format=json-render-diagnostics > $(COVERAGE)/built
	@for it in $$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' $(COVERAGE)/built); do \
	  name=$$(basename $$it) && cp $$it $(COVERAGE)/rust/$${name%-*} || exit 1; done
	@for it in apivideo $(COVERAGE_RUST); do echo "== $$it" && \
	  LLVM_PROFILE_FILE=$(COVERAGE)/counts/$$it.profraw $(LAUNCH) $(COVERAGE)/rust/$$it --quiet || exit 1; done
	@LLVM_PROFILE_FILE='$(COVERAGE)/counts/library-c-%m%c.profraw' \
	  $(MAKE) --no-print-directory -C tests/c $(call COVERAGE_SET,c) VALGRIND= VARIANTS=c11-shared \
	  CC="$(CC) $(WIDER)"
	@# Two at a time, for they mostly wait. (What counts lines is slow: no bounds of time, here and above.)
	@$(MAKE) --silent --no-print-directory -C tests/network $(call COVERAGE_SET,network) $(COVERAGE)/network/support.a
	@printf '%s\n' $(COVERAGE_NETWORK) | xargs -P 2 -I TEST \
	  env LLVM_PROFILE_FILE='$(COVERAGE)/counts/library-TEST-%m%c.profraw' \
	  tests/proof/sanitizers/run.sh $(COVERAGE) network TEST $(call COVERAGE_SET,network) \
	  CC="$(CC) $(WIDER)"
	@for of in library apivideo $(COVERAGE_RUST); do \
	  llvm-profdata-22 merge -sparse -o $(COVERAGE)/$$of.profdata $(COVERAGE)/counts/$$of*.profraw || exit 1; done
	@python3 -B tests/proof/coverage/coverage.py src tests/proof/coverage/not_covered \
	  $(COVERAGE)/lib/$(SONAME)=$(COVERAGE)/library.profdata \
	  $(foreach it,apivideo $(COVERAGE_RUST),$(COVERAGE)/rust/$(it)=$(COVERAGE)/$(it).profdata)

.PHONY: proof-coverage-short
proof-coverage-short: ## Check the list of what is not covered, without counting
	@python3 -B tests/proof/coverage/test_coverage.py
