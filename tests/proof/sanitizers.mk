# Memory, undefined behaviour and races: the C and C++ tests again, with the Rust side and the C side
# both instrumented by clang's sanitizers, of the LLVM that rustc has. Each sanitizer has a library of
# its own in build/sanitizers, and first has to find faults that are planted for it.
# On Debian: apt-get install clang-22 libclang-rt-22-dev llvm-22

SANITIZERS := $(abspath $(BUILD))/sanitizers
PROOF_SANITIZERS := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))/sanitizers
RUST_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
RUST_STD = $(shell rustc --print sysroot)/lib/rustlib/$(RUST_HOST)/lib/libstd-*.rlib

# Instrumented programs are slow, and keep memory of their own, of what was freed above all: calls are
# given seconds more, and how long they take is told, but not judged (tests/c/support/moment.h).
WIDER := -DSLACK_MS=2000 -DKEPT_KIB=524288

# The run-time library is shared, so that tests which put functions before the C library's find it
# behind theirs.
SANITIZE := -g -fno-omit-frame-pointer -fno-sanitize-recover=all -shared-libsan -Wno-unused-command-line-argument \
  -Wl,-rpath,$(shell clang-22 -print-resource-dir 2>/dev/null)/lib/linux $(WIDER)
SANITIZE.address := -fsanitize=address,undefined $(SANITIZE)
SANITIZE.thread := -fsanitize=thread $(SANITIZE)

RUST.address := -Zsanitizer=address
RUST.thread := -Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer

OPTIONS.address := detect_stack_use_after_return=1:strict_string_checks=1:print_stacktrace=1
# Children of processes with threads start threads here, as the library allows.
OPTIONS.thread := suppressions=$(PROOF_SANITIZERS)/thread.supp:die_after_fork=0:history_size=4

# $(call sanitized_rust,SANITIZER): the crate and its dependencies instrumented, C included. Quickly built,
# with the checks of a debug build; the tests mostly wait.
sanitized_rust = RUSTC_BOOTSTRAP=1 CC=clang-22 RUSTFLAGS="$(RUST.$(1)) -Cforce-frame-pointers=yes" \
  CARGO_TARGET_DIR=$(SANITIZERS)/$(1)/cargo CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_OPT_LEVEL=0 \
  $(CARGO) rustc --locked --quiet --lib --target $(RUST_HOST)

# $(call sanitized_library,SANITIZER,FILE,NAME): found under the name that it is linked and loaded by.
sanitized_library = mkdir -p $(SANITIZERS)/$(1)/lib && \
  ln -sf $(SANITIZERS)/$(1)/cargo/$(RUST_HOST)/debug/$(2) $(SANITIZERS)/$(1)/lib/$(3)

# $(call sanitized_tests,SANITIZER,DIRECTORY,TESTS,VARIANTS,OPTIONS): runs tests of a directory as its
# Makefile does. That compilers have nothing to warn of is not shown here.
sanitized_tests = UBSAN_OPTIONS=print_stacktrace=1 \
  ASAN_OPTIONS=$(OPTIONS.address)$(5) TSAN_OPTIONS=$(OPTIONS.thread)$(5) \
  $(PROOF_SANITIZERS)/run.sh $(SANITIZERS)/$(1) $(2) "$(3)" $(if $(4),VARIANTS="$(4)") \
  CC="clang-22 $(SANITIZE.$(1))" CXX="clang++-22 $(SANITIZE.$(1))" WARNINGS=-w VALGRIND= \
  LIB=$(SANITIZERS)/$(1)/lib OUT=$(SANITIZERS)/$(1)/$(2) STATIC_LIBS="$(STATIC_LIBS)" LOCAL_API=$(abspath $(LOCAL_API))

# $(call sanitized_figure,SANITIZER,WHAT)
sanitized_figure = @awk '{ passed += $$1 } END { print "proof: $(2): " passed " checks passed, nothing reported" }' $(SANITIZERS)/$(1)/passed

# $(call planted,SANITIZER,FAULT,WORDS)
planted = @ASAN_OPTIONS=$(OPTIONS.address) TSAN_OPTIONS=$(OPTIONS.thread) \
  $(LAUNCH) --as planted $(PROOF_SANITIZERS)/planted.sh $(SANITIZERS)/$(1)/planted $(2) $(3)

# $(call sanitized_planted,SANITIZER)
sanitized_planted = clang-22 -std=c11 -Wall -Wextra -Werror $(SANITIZE.$(1)) -Iinclude -o $(SANITIZERS)/$(1)/planted \
  $(PROOF_SANITIZERS)/planted.c -L$(SANITIZERS)/$(1)/lib -lapivideo -Wl,-rpath,$(SANITIZERS)/$(1)/lib -pthread

.PHONY: sanitizers-tools
sanitizers-tools:
	@for tool in clang-22 clang++-22 llvm-nm-22; do command -v $$tool > /dev/null || missing=yes; done; \
	ls $$(clang-22 -print-resource-dir)/lib/linux/libclang_rt.tsan-*.so > /dev/null 2>&1 || missing=yes; \
	[ -z "$$missing" ] || { echo "missing: apt-get install -y --no-install-recommends clang-22 llvm-22 libclang-rt-22-dev" >&2; exit 1; }

.PHONY: sanitizers-address
sanitizers-address: sanitizers-tools local_api
	@rm -f $(SANITIZERS)/address/passed
	$(call sanitized_rust,address) --crate-type cdylib
	$(call sanitized_rust,address) --crate-type staticlib
	@$(call sanitized_library,address,libapivideo.so,libapivideo.so)
	@$(call sanitized_library,address,libapivideo.so,$(SONAME))
	@$(call sanitized_library,address,libapivideo.a,libapivideo.a)
	@$(call sanitized_planted,address)
	$(call planted,address,overflow_in_c,heap-buffer-overflow planted.c:)
	$(call planted,address,overflow_in_rust,heap-buffer-overflow src/ffi/boundary.rs:)
	$(call planted,address,freed_twice_in_rust,heap-use-after-free src/ffi/cancel.rs:)
	$(call planted,address,leak_from_rust,"detected memory leaks" src/ffi/cancel.rs:)
	$(call planted,address,undefined_in_c,"signed integer overflow" planted.c:)

# What std does where it is not instrumented, told by std.c, which the linker is to call.
#   The end of a function's mangled name, by the name that std.c has for it.
STD_FUNCTIONS := LOCK_CONTENDED=5Mutex14lock_contended READ_CONTENDED=6RwLock14read_contended \
  WRITE_CONTENDED=6RwLock15write_contended CONDVAR_WAIT=7Condvar4wait CONDVAR_WAIT_TIMEOUT=7Condvar12wait_timeout \
  ONCE_CALL=4Once4call

.PHONY: sanitizers-thread
sanitizers-thread: sanitizers-tools local_api
	@rm -f $(SANITIZERS)/thread/passed && mkdir -p $(SANITIZERS)/thread
	@llvm-nm-22 -g --defined-only $(RUST_STD) 2> /dev/null | awk '{ print $$NF }' > $(SANITIZERS)/thread/std.symbols
	@for it in $(STD_FUNCTIONS); do \
	  found=$$(grep -E "^_R.*3std3sys4sync.*futex.*$${it#*=}$$" $(SANITIZERS)/thread/std.symbols); \
	  [ "$$(echo "$$found" | wc -w)" = 1 ] || { echo "this Rust's std has not one function for $$it" >&2; exit 1; }; \
	  echo "$${it%%=*} $$found"; done > $(SANITIZERS)/thread/std.functions
	@clang-22 -std=c11 -O1 -g -fPIC -Wall -Wextra -Werror $$(sed 's/\(.*\) \(.*\)/-D\1=\2/' $(SANITIZERS)/thread/std.functions) \
	  -c -o $(SANITIZERS)/thread/std.o $(PROOF_SANITIZERS)/std.c
	$(call sanitized_rust,thread) --crate-type cdylib -- -Clink-arg=$(SANITIZERS)/thread/std.o \
	  -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub \
	  $$(sed 's/.* /-Clink-arg=-Wl,--wrap=/' $(SANITIZERS)/thread/std.functions)
	@$(call sanitized_library,thread,libapivideo.so,libapivideo.so)
	@$(call sanitized_library,thread,libapivideo.so,$(SONAME))
	@: > $(SANITIZERS)/thread/lib/libapivideo.a # the tests' Makefiles want one; none is linked
	@$(call sanitized_planted,thread)
	$(call planted,thread,race_in_c,"data race" planted.c:)
	$(call planted,thread,race_in_rust,"data race" src/ffi/cancel.rs:)

# trust watches itself by strace, and exit ends amid calls, so that leaks cannot be looked for; stack measures what ships, which
# a sanitizer makes larger. overhead of tests/cpp counts allocations in the sanitizer's place, so it is under
# valgrind alone, in `make test-cpp`.
# Last the one that reads what the others have printed.
NETWORK := $(filter-out secrets_in_logs,$(basename $(notdir $(wildcard tests/network/*.c)))) secrets_in_logs
ADDRESS_NETWORK := $(filter-out trust exit stack,$(NETWORK))
ADDRESS_CPP := $(filter-out overhead,$(basename $(notdir $(wildcard tests/cpp/*.cpp))) units)

# What several threads do to each other.
THREAD_C := shared_client iterator_in_use upload_session
THREAD_CPP := many_threads cancel_source stop_token response_object trace_function
THREAD_NETWORK := host_resources cancel queue rate_limit freed response fork trace drops retries stale lookup time_limits tls trust upload_parallel upload_no_network

# What valgrind alone sees is memory read before it is written. tests/c and tests/cpp are under it in
# `make test`. Here are all of tests/network, with the library as it ships but for its symbols, by which
# valgrind.supp names functions. A child of fork has what threads held that it has not, and who exits amid
# calls has what they hold: leaks cannot be told from that. stack reads what a thread has left of its own.
VALGRIND_MEMORY := valgrind --quiet --vgdb=no --error-exitcode=99 --leak-check=full \
  --errors-for-leak-kinds=definite,indirect,possible --suppressions=$(PROOF_SANITIZERS)/valgrind.supp \
  --suppressions=$(SANITIZERS)/valgrind/records.supp

# $(call valgrind_tests,TESTS,OPTIONS)
valgrind_tests = $(PROOF_SANITIZERS)/run.sh $(SANITIZERS)/valgrind network "$(1)" VALGRIND="$(VALGRIND_MEMORY)$(2)" \
  CC="$(CC) $(WIDER)" LIB=$(SANITIZERS)/valgrind/lib OUT=$(SANITIZERS)/valgrind/network LOCAL_API=$(abspath $(LOCAL_API))

# Two at a time: most of the tests wait.
.PHONY: proof-sanitizers
proof-sanitizers: ## C and C++ tests under Address-, Leak-, UndefinedBehavior-, ThreadSanitizer and valgrind
	@$(MAKE) --no-print-directory -j2 $(@:%=%-address) $(@:%=%-thread) $(@:%=%-valgrind)

.PHONY: proof-sanitizers-address
proof-sanitizers-address: sanitizers-address
	@$(call sanitized_tests,address,c,$(basename $(notdir $(wildcard tests/c/*.c))),c11-shared cxx17-static)
	@$(call sanitized_tests,address,cpp,$(ADDRESS_CPP),cxx17-static cxx20-shared)
	@$(call sanitized_tests,address,network,$(ADDRESS_NETWORK))
	@$(call sanitized_tests,address,network,trust exit,,:detect_leaks=0)
	$(call sanitized_figure,address,memory (AddressSanitizer$(comma) LeakSanitizer$(comma) UndefinedBehaviorSanitizer))

.PHONY: proof-sanitizers-thread
proof-sanitizers-thread: sanitizers-thread
	@$(call sanitized_tests,thread,c,$(THREAD_C),c11-shared)
	@$(call sanitized_tests,thread,cpp,$(THREAD_CPP),cxx20-shared)
	@$(call sanitized_tests,thread,network,$(THREAD_NETWORK))
	$(call sanitized_figure,thread,threads (ThreadSanitizer))

.PHONY: proof-sanitizers-valgrind
proof-sanitizers-valgrind: all local_api
	@mkdir -p $(SANITIZERS)/valgrind/lib && rm -f $(SANITIZERS)/valgrind/passed
	@for name in libapivideo.so $(SONAME); do \
	  ln -sf $(abspath $(BUILT))/release/libapivideo.so $(SANITIZERS)/valgrind/lib/$$name; done
	@# As many as rustls hands out at once.
	@for number in $$(seq 0 63); do sed "s/\[N\]/[$$number]/" $(PROOF_SANITIZERS)/valgrind_record.supp; done \
	  > $(SANITIZERS)/valgrind/records.supp
	@$(call valgrind_tests,$(filter-out fork fork_in_upload exit stack,$(NETWORK)))
	@$(call valgrind_tests,fork fork_in_upload exit, --leak-check=no)
	$(call sanitized_figure,valgrind,memory (valgrind)$(comma) network tests)

.PHONY: proof-sanitizers-short
proof-sanitizers-short: sanitizers-address sanitizers-thread ## The same, less of it
	@$(call sanitized_tests,address,c,bad_input bad_answers errors iterate tokens shared_client,c11-shared)
	@$(call sanitized_tests,address,network,cancel freed response)
	@$(call sanitized_tests,thread,network,cancel freed response)
	$(call sanitized_figure,address,memory (AddressSanitizer$(comma) LeakSanitizer$(comma) UndefinedBehaviorSanitizer)$(comma) short)
	$(call sanitized_figure,thread,threads (ThreadSanitizer)$(comma) short)

comma := ,
