# Fuzzing and properties. The fuzzers in fuzz/ are built with what the stable compiler has for it
# (AddressSanitizer, coverage for libFuzzer and for llvm-cov) and linked with clang's own libFuzzer.

FUZZ := $(abspath $(BUILD))/fuzzing
# Of each fuzzer; two run at a time.
FUZZ_SECONDS := 30
FUZZ_RUN = FUZZ=$(FUZZ) tests/proof/fuzzing/run.sh

.PHONY: fuzzers
fuzzers: ## Build the fuzzers
	@CARGO="$(CARGO)" FUZZ=$(FUZZ) tests/proof/fuzzing/build.sh

.PHONY: proof-fuzzing
proof-fuzzing: fuzzers ## Run each fuzzer for a while, and more rounds of the properties
	@$(FUZZ_RUN) $(FUZZ_SECONDS)
	@$(FUZZ_RUN) coverage
	@$(MAKE) --no-print-directory proof-properties PROPERTIES_TIMES=4

.PHONY: proof-fuzzing-short
proof-fuzzing-short: fuzzers ## Run each fuzzer over its corpus and for five seconds
	@$(FUZZ_RUN) 5
	@$(FUZZ_RUN) coverage

.PHONY: proof-properties
proof-properties: ## Try the properties PROPERTIES_TIMES as often as `make test` does
	@PROPERTIES_TIMES=$(or $(PROPERTIES_TIMES),1) $(CARGO) test --locked --quiet $(RUST_LAUNCH) --test properties -- --nocapture

.PHONY: fuzz-corpus
fuzz-corpus: fuzzers ## Make the corpora anew: the fewest of all inputs found that reach as much
	@$(FUZZ_RUN) minimise
