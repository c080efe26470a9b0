# How much of src/ the tests in Rust and in C run together: the library and the tests within it are built
# once more so that they count, and the C tests run with that one. Counters stand in the file itself
# (%c), so that those of a process that is killed, or leaves by _exit(), are not lost.

COVERAGE := $(BUILD)/coverage
COUNTING := -Cinstrument-coverage -Cllvm-args=-runtime-counter-relocation
COVERAGE_TOOLS := llvm-profdata-22 llvm-cov-22

.PHONY: proof-coverage
proof-coverage: local_api ## Count the lines that no test runs; each must be named with its reason
	@for tool in $(COVERAGE_TOOLS); do command -v $$tool > /dev/null || \
	  { echo "$$tool is missing (Debian: sudo apt-get install llvm-22)" >&2; exit 1; }; done
	@rm -rf $(COVERAGE)/counts && mkdir -p $(COVERAGE)/counts $(COVERAGE)/lib
	@python3 -B tests/proof/coverage/test_coverage.py
	@# With what libapivideo.a is made of, which is there already.
	$(CARGO_SHIP) --profile static --crate-type cdylib -- $(COUNTING)
	@cp $(BUILT)static/libapivideo.so $(COVERAGE)/lib/$(SONAME)
	@ln -sf $(SONAME) $(COVERAGE)/lib/libapivideo.so
	@: > $(COVERAGE)/lib/libapivideo.a # asked for, but linked with nothing
	$(CARGO) rustc --locked --lib --profile test --message-format=json-render-diagnostics -- $(COUNTING) \
	  > $(COVERAGE)/built
	@cp "$$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' $(COVERAGE)/built)" $(COVERAGE)/unit_tests
	LLVM_PROFILE_FILE=$(abspath $(COVERAGE))/counts/unit_tests.profraw $(COVERAGE)/unit_tests --quiet
	@export LLVM_PROFILE_FILE='$(abspath $(COVERAGE))/counts/library-%m%c.profraw' && \
	  $(MAKE) --no-print-directory -C tests/c LIB=$(abspath $(COVERAGE)/lib) OUT=$(abspath $(COVERAGE)/c) \
	    LOCAL_API=$(abspath $(LOCAL_API)) VALGRIND= VARIANTS=c11-shared && \
	  $(MAKE) --no-print-directory -C tests/network LIB=$(abspath $(COVERAGE)/lib) \
	    OUT=$(abspath $(COVERAGE)/network) LOCAL_API=$(abspath $(LOCAL_API)) > $(COVERAGE)/network.log || \
	  { tail -n 40 $(COVERAGE)/network.log; exit 1; }
	@tail -n 1 $(COVERAGE)/network.log
	@for of in unit_tests library; do \
	  llvm-profdata-22 merge -sparse -o $(COVERAGE)/$$of.profdata $(COVERAGE)/counts/$$of*.profraw || exit 1; done
	@python3 -B tests/proof/coverage/coverage.py src tests/proof/coverage/not_covered \
	  $(COVERAGE)/lib/$(SONAME)=$(COVERAGE)/library.profdata \
	  $(COVERAGE)/unit_tests=$(COVERAGE)/unit_tests.profdata

.PHONY: proof-coverage-short
proof-coverage-short: ## Check the list of what is not covered, without counting
	@python3 -B tests/proof/coverage/test_coverage.py
