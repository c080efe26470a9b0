# `make dist`: a tarball of what `make install` installs, and of what that is made of and under which
# licences, for any Linux x86-64 with glibc 2.17 (of 2012) or newer. Rust's own standard library asks for
# no less.

DIST := $(BUILD)/dist
DIST_NAME := apivideo-$(VERSION)-x86_64-linux-gnu
DIST_TARBALL := $(DIST)/$(DIST_NAME).tar.gz
DIST_TOOLS := $(DIST)/tools
# The same sources make the same tarball: every file in it is as old as the last commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

$(DIST_TOOLS): packaging/dist-requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: dist
dist: $(DIST_TOOLS) ## Build a tarball for any Linux x86-64 since glibc 2.17, into build/dist
	@rm -rf $(DIST)/$(DIST_NAME)
	PATH='$(abspath $(DIST_TOOLS)/bin):'"$$PATH" $(MAKE) --no-print-directory docs install BUILD=$(DIST)/build \
	  CARGO=cargo-zigbuild TARGET=x86_64-unknown-linux-gnu GLIBC=.2.17 \
	  PREFIX= DESTDIR='$(abspath $(DIST)/$(DIST_NAME))'
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) python3 -B packaging/sbom.py $(DIST)/$(DIST_NAME)/share/doc/apivideo \
	  --target x86_64-unknown-linux-gnu --unwinder $$(sed -n 's/^ziglang==//p' packaging/dist-requirements.txt)
	tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) \
	  -C $(DIST) -c $(DIST_NAME) | gzip -9n > $(DIST_TARBALL)

.PHONY: test-dist
test-dist: dist all local_api ## Build the tarball and test it
	@$(MAKE) --no-print-directory -C tests/install ONLY=dist OUT=$(abspath $(BUILD)/tests/install) \
	  LOCAL_API=$(abspath $(LOCAL_API))
