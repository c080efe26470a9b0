# Other platforms: the library built for each of them, and its C tests run there, by an emulator where this
# machine's processor is another one, against this machine's stand-in. Each ends with a line of figures.

OTHER_LINUX := aarch64 i686 armv7 s390x riscv64 musl musl-aarch64
PLATFORMS := $(OTHER_LINUX) windows
# Of tests/c/Makefile. The static library takes as long to build as the shared one.
PLATFORM_VARIANTS := c11-shared c11-static
# Of tests/network, what needs nothing around it and goes deepest: uploads broken at any byte, killed, over TLS,
# of files beyond 32 bits, in parts at once, and amid forks; calls cancelled in each phase.
PLATFORM_NETWORK := upload_ledger upload_killed upload_tls upload_resources upload_parallel fork_in_upload cancel

.PHONY: test-platforms $(OTHER_LINUX:%=test-platform-%)
test-platforms: ## Build the library for other platforms and run the C tests there
	@passed=0; failed=; for name in $(PLATFORMS); do \
	  if $(MAKE) --no-print-directory test-platform-$$name; then passed=$$((passed + 1)); else failed="$$failed $$name"; fi; done; \
	set -- $$failed; echo "platforms: $$passed passed, $$# failed$${failed:+:$$failed}"; [ $$# = 0 ]

$(OTHER_LINUX:%=test-platform-%): test-platform-%: local_api
	@BUILD=$(abspath $(BUILD)) LOCAL_API=$(abspath $(LOCAL_API)) STATIC_LIBS="$(STATIC_LIBS)" MAKE="$(MAKE)" \
	  DIST_TOOLS=$(abspath $(DIST_TOOLS)) VARIANTS="$(PLATFORM_VARIANTS)" NETWORK="$(PLATFORM_NETWORK)" \
	  tests/platforms/linux.sh $*

# The wrappers, on a processor that Debian has an interpreter for and this kernel does not run.
PLATFORM_LANGUAGES := cpp python node
.PHONY: test-platform-aarch64-languages
test-platform-aarch64-languages: local_api ## Build the library for aarch64 and run the wrappers there
	@BUILD=$(abspath $(BUILD)) LOCAL_API=$(abspath $(LOCAL_API)) STATIC_LIBS="$(STATIC_LIBS)" MAKE="$(MAKE)" \
	  DIST_TOOLS=$(abspath $(DIST_TOOLS)) VARIANTS=c11-shared NETWORK= LANGUAGES="$(PLATFORM_LANGUAGES)" \
	  tests/platforms/linux.sh aarch64

# What `make dist` builds with.
test-platform-musl test-platform-musl-aarch64: $(DIST_TOOLS)
