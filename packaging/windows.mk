# The library for Windows, built by MinGW, and what `make install` is there. Where a system has no places of its
# own for libraries, all is below one folder, in which everything finds the rest.

WINDOWS := $(abspath build/x86_64-pc-windows-gnu)
WINDOWS_BUILD := DIST_TOOLS=$(abspath $(DIST_TOOLS)) packaging/windows/build.sh
# What a program needs beside libapivideo.a (rustc --print native-static-libs).
WINDOWS_STATIC_LIBS := -lws2_32 -lcrypt32 -lbcrypt -ladvapi32 -luserenv -ldbghelp -lntdll -lkernel32

# With how long it took, for the line of figures.
$(WINDOWS)/bin/apivideo.dll: $(SOURCES) $(wildcard packaging/windows/*.sh) | $(DIST_TOOLS)
	@begun=$$(date +%s) && $(WINDOWS_BUILD) shared $(WINDOWS) && echo $$(($$(date +%s) - begun)) > $(WINDOWS)/built_in

$(WINDOWS)/lib/libapivideo.a: $(SOURCES) $(wildcard packaging/windows/*.sh) | $(DIST_TOOLS)
	@$(WINDOWS_BUILD) static $(WINDOWS)

.PHONY: install-windows
install-windows: STATIC_LIBS := $(WINDOWS_STATIC_LIBS)
install-windows: $(WINDOWS)/bin/apivideo.dll $(WINDOWS)/lib/libapivideo.a
	$(INSTALL) -d $(call at,$(PREFIX)/bin)
	$(call install_common,windows/apivideo-config.cmake)
	$(INSTALL) -m 755 $(WINDOWS)/bin/apivideo.dll $(call at,$(PREFIX)/bin)
	$(INSTALL) -m 644 $(addprefix $(WINDOWS)/lib/,libapivideo.dll.a apivideo.lib libapivideo.a) $(call at,$(LIBDIR))
