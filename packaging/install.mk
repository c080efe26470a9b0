# What `make install` puts where, and `make uninstall` takes away again. A packager sets DESTDIR, PREFIX
# and, where libraries are elsewhere, LIBDIR (docs/PACKAGING.md).

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/apivideo
INSTALL ?= install

HEADERS := $(wildcard include/*.h include/*.hpp)
DOCUMENTS := README.md CHANGELOG.md LICENSE docs/ABI.md docs/CERTIFICATES.md
# Those that `make docs` has made, if there was a doxygen; and what they are called, even where they are no more.
MAN_PAGES = $(wildcard $(BUILD)/man/man3/*.3)
MAN_NAMES = $(addsuffix .3,$(sort $(shell sed -n 's/.*@defgroup \([a-z_]*\) .*/\1/p' docs/reference/pages.dox; \
  grep -oE '\bav_[a-z0-9_]+' include/apivideo.h)))

PKGCONFIG = $(LIBDIR)/pkgconfig
CMAKE = $(LIBDIR)/cmake/apivideo
LIBRARY = libapivideo.so.$(VERSION)

override PREFIX := $(if $(filter-out /,$(PREFIX)),$(patsubst %/,%,$(PREFIX)),$(PREFIX))
$(foreach it,PREFIX LIBDIR INCLUDEDIR MANDIR DOCDIR,$(if $(filter 0 1,$(words $($(it)))),,$(error $(it) has a space in it)))

# "Below the prefix", since the files for pkg-config and CMake find everything from where they are.
below_prefix = $(or $(patsubst $(PREFIX)/%,%,$(filter $(PREFIX)/%,$(1))),$(error $(1) is not below $(PREFIX)))
empty :=
space := $(empty) $(empty)
up = $(subst $(space),/,$(patsubst %,..,$(subst /, ,$(1))))

at = '$(DESTDIR)$(strip $(1))'
fill = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@ABI@|$(ABI)|g' -e 's|@SONAME@|$(SONAME)|g' \
  -e 's|@LIBDIR@|$(call below_prefix,$(LIBDIR))|g' \
  -e 's|@INCLUDEDIR@|$(call below_prefix,$(INCLUDEDIR))|g' \
  -e 's|@PREFIX_FROM_LIBDIR@|$(call up,$(call below_prefix,$(LIBDIR)))|g' \
  -e "s|@DESCRIPTION@|$$(sed -n 's/^description = "\(.*\)"/\1/p' Cargo.toml)|" \
  -e 's|@STATIC_LIBS@|$(2)|g' packaging/$(1).in | $(INSTALL) -m 644 /dev/stdin

# What is the same on every system, but for its CMake package.
define install_common
$(INSTALL) -d $(foreach it,$(INCLUDEDIR) $(PKGCONFIG) $(CMAKE) $(DOCDIR),$(call at,$(it)))
$(INSTALL) -m 644 $(HEADERS) $(call at,$(INCLUDEDIR))
@$(call fill,apivideo.pc,$(STATIC_LIBS)) $(call at,$(PKGCONFIG)/apivideo.pc)
@$(call fill,$(1),$(subst $(space),;,$(STATIC_LIBS:-l%=%))) $(call at,$(CMAKE)/apivideo-config.cmake)
@$(call fill,apivideo-config-version.cmake) $(call at,$(CMAKE)/apivideo-config-version.cmake)
$(INSTALL) -m 644 $(DOCUMENTS) $(call at,$(DOCDIR))
endef

.PHONY: install
install: all $(if $(shell command -v doxygen 2>/dev/null),docs) ## Install the library: below PREFIX, LIBDIR…, in DESTDIR
	$(call install_common,apivideo-config.cmake)
	$(INSTALL) -m 644 $(SHARED) $(call at,$(LIBDIR)/$(LIBRARY))
	ln -sf $(LIBRARY) $(call at,$(LIBDIR)/$(SONAME))
	ln -sf $(SONAME) $(call at,$(LIBDIR)/libapivideo.so)
	$(INSTALL) -m 644 $(STATIC) $(call at,$(LIBDIR))
	$(if $(MAN_PAGES),$(INSTALL) -d $(call at,$(MANDIR)/man3))
	@$(if $(MAN_PAGES),$(INSTALL) -m 644 $(MAN_PAGES) $(call at,$(MANDIR)/man3))

INSTALLED = $(HEADERS:include/%=$(INCLUDEDIR)/%) \
  $(addprefix $(LIBDIR)/,$(LIBRARY) $(SONAME) libapivideo.so libapivideo.a) $(PKGCONFIG)/apivideo.pc \
  $(CMAKE)/apivideo-config.cmake $(CMAKE)/apivideo-config-version.cmake \
  $(addprefix $(DOCDIR)/,$(notdir $(DOCUMENTS))) $(addprefix $(MANDIR)/man3/,$(MAN_NAMES))

.PHONY: uninstall
uninstall: ## Remove what `make install` with the same PREFIX… has installed
	rm -f $(foreach it,$(INSTALLED),$(call at,$(it)))
	@cd $(call at,$(PREFIX)/) && rmdir -p $(patsubst $(PREFIX)/%,%,$(filter $(PREFIX)/%, \
	  $(INCLUDEDIR) $(PKGCONFIG) $(CMAKE) $(DOCDIR) $(MANDIR)/man3)) 2>/dev/null || true

.PHONY: test-install
test-install: all local_api ## Run the tests of installing alone
	@$(MAKE) --no-print-directory -C tests/install OUT=$(abspath $(BUILD)/tests/install) \
	  LOCAL_API=$(abspath $(LOCAL_API))

.PHONY: test-capi
test-capi: all local_api ## Install with cargo-c, and compare
	@$(MAKE) --no-print-directory -C tests/install ONLY=capi OUT=$(abspath $(BUILD)/tests/install) \
	  LOCAL_API=$(abspath $(LOCAL_API))
