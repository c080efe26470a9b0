# `make dist`: an archive of what `make install` installs, and of what that is made of and under which
# licences. By itself for x86-64; `make dist PLATFORM=aarch64`, or `make dist-aarch64`, for another platform.

# Each platform's name, what Rust calls it, and the oldest glibc that it runs with. Rust's own standard library
# asks for no less than 2.17 (of 2012); RISC-V began with 2.27.
DIST_TABLE := \
  x86_64:x86_64-unknown-linux-gnu:.2.17 \
  aarch64:aarch64-unknown-linux-gnu:.2.17 \
  armv7:armv7-unknown-linux-gnueabihf:.2.17 \
  i686:i686-unknown-linux-gnu:.2.17 \
  riscv64:riscv64gc-unknown-linux-gnu:.2.27 \
  s390x:s390x-unknown-linux-gnu:.2.17 \
  musl:x86_64-unknown-linux-musl \
  musl-aarch64:aarch64-unknown-linux-musl \
  windows:x86_64-pc-windows-gnu
DIST_PLATFORMS := $(foreach it,$(DIST_TABLE),$(firstword $(subst :, ,$(it))))
PLATFORM := x86_64

DIST_ROW := $(subst :, ,$(filter $(PLATFORM):%,$(DIST_TABLE)))
DIST_TARGET := $(word 2,$(DIST_ROW))
# Without what tells nobody anything, such as the vendor.
DIST_SYSTEM := $(subst gc-,-,$(subst -pc-,-,$(subst -unknown-,-,$(DIST_TARGET))))
DIST_KIND := $(if $(findstring -windows-,$(DIST_TARGET)),windows,linux)

DIST := $(BUILD)/dist
DIST_NAME := apivideo-$(VERSION)-$(DIST_SYSTEM)
DIST_FOLDER := $(abspath $(DIST)/$(DIST_NAME))
DIST_ARCHIVE := $(DIST)/$(DIST_NAME).$(if $(filter windows,$(DIST_KIND)),zip,tar.gz)
DIST_TOOLS := $(DIST)/tools
DIST_ZIG := $(shell sed -n 's/^ziglang==//p' packaging/dist-requirements.txt)
# The same sources make the same archive: every file in it is as old as the last commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

$(DIST_TOOLS): packaging/dist-requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --requirement $<
	@touch $@

# By zig, which has every glibc and musl. For other processors Rust's standard library is built with ours, of
# Debian's sources, which asks for an unstable option: nothing of ours does.
ifeq ($(PLATFORM),x86_64)
dist_environment = PATH='$(abspath $(DIST_TOOLS)/bin):'"$$PATH"
else
dist_environment = PATH='$(abspath $(DIST_TOOLS)/bin):/usr/bin:'"$$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
  CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
# The GNU system whose tools know the platform's files.
DIST_GNU := $(subst armv7-,arm-,$(subst -musl,-gnu,$(DIST_SYSTEM)))
dist_needs.linux = /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web /usr/lib/rustlib/src/rust/library:rust-web-src \
  $(DIST_GNU)-strip:binutils-$(subst _,-,$(DIST_GNU))
dist_tools.linux = STRIP=$(DIST_GNU)-strip
endif
dist_install.linux = docs install BUILD=$(DIST)/build/$(PLATFORM) CARGO=cargo-zigbuild TARGET=$(DIST_TARGET) \
  GLIBC=$(word 3,$(DIST_ROW)) $(dist_tools.linux) $(if $(findstring -musl,$(DIST_TARGET)),STATIC_LIBS=-lc)
dist_contents.linux = --unwinder $(DIST_ZIG)
dist_archive.linux = tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) \
  -C $(DIST) -c $(DIST_NAME) | gzip -9n > $(DIST_ARCHIVE)

# By MinGW, which Rust's target is named for.
dist_install.windows = install-windows
dist_contents.windows = --mingw
dist_archive.windows = SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) python3 -B packaging/zip.py $(DIST) $(DIST_NAME)

.PHONY: dist dist-all $(DIST_PLATFORMS:%=dist-%)
dist: $(DIST_TOOLS) ## Build a tarball for any Linux x86-64 since glibc 2.17, or for PLATFORM=, into build/dist
	@$(if $(DIST_TARGET),,$(error there is no platform $(PLATFORM), but $(DIST_PLATFORMS)))
	@$(if $(dist_needs.$(DIST_KIND)),tests/platforms/setup.sh $(dist_needs.$(DIST_KIND)))
	@rm -rf $(DIST_FOLDER)
	$(dist_environment) $(MAKE) --no-print-directory $(dist_install.$(DIST_KIND)) PREFIX= DESTDIR='$(DIST_FOLDER)'
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(dist_environment) python3 -B packaging/sbom.py \
	  $(DIST_FOLDER)/share/doc/apivideo --target $(DIST_TARGET) $(dist_contents.$(DIST_KIND))
	$(dist_archive.$(DIST_KIND))

$(DIST_PLATFORMS:%=dist-%): dist-%:
	@$(MAKE) --no-print-directory dist PLATFORM=$*
dist-all: $(DIST_PLATFORMS:%=dist-%) ## Build an archive for every platform

.PHONY: test-dist
test-dist: dist all local_api ## Build the tarball and test it
	@$(MAKE) --no-print-directory -C tests/install ONLY=dist OUT=$(abspath $(BUILD)/tests/install) \
	  LOCAL_API=$(abspath $(LOCAL_API))

# Those for other platforms: each is built twice, the second time of a copy of the sources, which has nothing of
# the first but the tools, and tested where it can be run.
DIST_ELSEWHERE := $(filter-out x86_64,$(DIST_PLATFORMS))
DIST_AGAIN := $(abspath $(BUILD))/tests/dist_again
.PHONY: test-dist-platforms $(DIST_ELSEWHERE:%=test-dist-%)
test-dist-platforms: $(DIST_ELSEWHERE:%=test-dist-%) ## Build the archives for other platforms twice, and test them
$(DIST_ELSEWHERE:%=test-dist-%): test-dist-%: local_api
	@$(MAKE) --no-print-directory test-dist-elsewhere PLATFORM=$*

.PHONY: test-dist-elsewhere
test-dist-elsewhere: dist
	@rm -rf $(DIST_AGAIN)/$(PLATFORM) && mkdir -p $(DIST_AGAIN)/$(PLATFORM)
	@tar -c --exclude=./build --exclude=./target --exclude=.git . | tar -x -C $(DIST_AGAIN)/$(PLATFORM)
	@$(MAKE) --no-print-directory -C $(DIST_AGAIN)/$(PLATFORM) dist BUILD=build DIST_TOOLS=$(abspath $(DIST_TOOLS)) \
	  SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)
	@$(if $(filter windows,$(DIST_KIND)),tests/platforms/windows/setup.sh $(WINDOWS))
	@PLATFORM=$(PLATFORM) ARCHIVE=$(abspath $(DIST_ARCHIVE)) DIST_TOOLS=$(abspath $(DIST_TOOLS)) WINE=$(WINDOWS)/wine \
	  AGAIN=$(DIST_AGAIN)/$(PLATFORM)/build/dist/$(notdir $(DIST_ARCHIVE)) \
	  $(MAKE) --no-print-directory -C tests/install ONLY=dist_$(DIST_KIND) LOCAL_API=$(abspath $(LOCAL_API)) \
	  OUT=$(abspath $(BUILD))/tests/install/$(PLATFORM)
	@echo "dist $(PLATFORM): $$(cat $(abspath $(BUILD))/tests/install/$(PLATFORM)/*.passed);" \
	  "$(notdir $(DIST_ARCHIVE)) of $$(wc -c < $(DIST_ARCHIVE)) bytes"
