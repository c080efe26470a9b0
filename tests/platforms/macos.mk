# macOS and iOS: compiled, and for macOS linked, on this machine. Nothing here runs it.

APPLE := $(abspath $(BUILD))/apple
# None is all of them. As it is developed is compiled sooner than as it ships.
TARGETS :=
PROFILE := dev

.PHONY: check-macos
check-macos: $(DIST_TOOLS) ## Compile and link for macOS, compile for iOS (TARGETS= for which, PROFILE=release as it ships); none of it is run
	@DIST_TOOLS=$(abspath $(DIST_TOOLS)) PROFILE=$(PROFILE) tests/platforms/macos/check.sh $(APPLE) $(TARGETS)

.PHONY: xcframework
xcframework: ## On a Mac: build an XCFramework for Swift, of macOS and iOS, into build/apple
	@tests/platforms/macos/xcframework.sh $(APPLE)
