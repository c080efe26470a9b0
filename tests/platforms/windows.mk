# Windows: what packaging/windows.mk builds, tested under Wine.

WINDOWS_AT := tests/platforms/windows

$(WINDOWS)/bin/apivideo.exe: $(wildcard examples/c/apivideo/*.[ch] examples/c/apivideo/windows/*) include/apivideo.h \
  $(WINDOWS)/bin/apivideo.dll
	@x86_64-w64-mingw32-gcc-posix -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -o $@ $(filter %.c,$^) \
	  -L$(WINDOWS)/lib -lapivideo

.PHONY: platform-windows
platform-windows: $(WINDOWS)/bin/apivideo.dll $(WINDOWS)/bin/apivideo.exe $(WINDOWS)/lib/libapivideo.a ## Build for Windows, into build/x86_64-pc-windows-gnu

# The static library takes as long to build as the shared one: some of the tests do without.
.PHONY: test-platform-windows
test-platform-windows: $(WINDOWS)/bin/apivideo.dll $(WINDOWS)/bin/apivideo.exe \
  $(if $(ONLY),,$(WINDOWS)/lib/libapivideo.a) local_api ## Build apivideo.dll and test it under Wine
	@$(WINDOWS_AT)/setup.sh $(WINDOWS)
	@STATIC_LIBS="$(WINDOWS_STATIC_LIBS)" $(WINDOWS_AT)/run.sh $(WINDOWS) $(abspath $(LOCAL_API)) $(ONLY)
