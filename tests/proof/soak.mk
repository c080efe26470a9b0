# Soak and exhaustion: one client under load and faults for minutes, shortages of descriptors, threads
# and ports, and what a call takes of memory at most. Every figure is printed as `proof: …`.

PROOF_SOAK := $(abspath $(BUILD))/proof/soak
# A folder of their own: uploads are soaked and exhausted by programs of one name.
PROOF_EXHAUSTION := $(abspath $(BUILD))/proof/exhaustion
PROOF_SOAK_SUPPORT := $(wildcard tests/c/support/*.c tests/network/support/*.c)
PROOF_SOAK_HEADERS := $(wildcard tests/c/support/*.h tests/network/support/*.h tests/proof/soak/*.h tests/proof/soak/*/*.h) include/apivideo.h
PROOF_SOAK_COMPILE := $(CC) -std=c11 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror \
  -Iinclude -Itests/c -Itests/network -Itests/network/support -Itests/proof/soak
EXHAUSTION := descriptors threads ports memory uploads

# As an archive, from which a program takes what it uses.
$(PROOF_SOAK)/support.a: $(PROOF_SOAK_SUPPORT) $(PROOF_SOAK_HEADERS)
	@rm -rf $(@D)/support $@ && mkdir -p $(@D)/support
	@for file in $(PROOF_SOAK_SUPPORT); do \
	  $(PROOF_SOAK_COMPILE) -c -o $(@D)/support/$$(basename $$file .c).o $$file || exit 1; done
	@ar rcs $@ $(@D)/support/*.o

proof_soak_link = $(PROOF_SOAK_COMPILE) -o $@ $(filter %.c,$^) $(PROOF_SOAK)/support.a -pthread \
  -L$(abspath $(BUILD))/lib -lapivideo -Wl,-rpath,$(abspath $(BUILD))/lib

$(PROOF_SOAK)/soak: $(wildcard tests/proof/soak/*.c) $(PROOF_SOAK_HEADERS) $(PROOF_SOAK)/support.a $(SHARED)
	@$(proof_soak_link)

$(PROOF_SOAK)/uploads: $(wildcard tests/proof/soak/uploads/*.c) tests/proof/soak/heap.c $(PROOF_SOAK_HEADERS) $(PROOF_SOAK)/support.a $(SHARED)
	@$(proof_soak_link)

$(PROOF_EXHAUSTION)/%: tests/proof/exhaustion/%.c tests/proof/soak/heap.c $(PROOF_SOAK_HEADERS) $(PROOF_SOAK)/support.a $(SHARED)
	@mkdir -p $(@D)
	@$(proof_soak_link)

# $(call proof_soak_run,SECONDS): each twice as long, and ten minutes more, before it counts as hung.
proof_soak_run = for name in soak uploads; do LOCAL_API=$(abspath $(LOCAL_API)) \
  $(LAUNCH) --limit $$((2 * $(1) + 600)) $(PROOF_SOAK)/$$name $(1) || exit 1; done

.PHONY: soak
soak: all local_api $(PROOF_SOAK)/soak $(PROOF_SOAK)/uploads ## Load one client for ten minutes, with every fault, and one with uploads
	@$(call proof_soak_run,600)

.PHONY: proof-exhaustion
proof-exhaustion: all local_api $(EXHAUSTION:%=$(PROOF_EXHAUSTION)/%) ## Run out of descriptors, threads and ports; bound memory
	@rm -f $(PROOF_EXHAUSTION)/passed
	@for name in $(EXHAUSTION); do echo "== $$name"; \
	  LOCAL_API=$(abspath $(LOCAL_API)) $(LAUNCH) --as exhaustion/$$name $(PROOF_EXHAUSTION)/$$name > $(PROOF_EXHAUSTION)/$$name.log; ended=$$?; \
	  cat $(PROOF_EXHAUSTION)/$$name.log; [ $$ended = 0 ] || exit 1; tail -n 1 $(PROOF_EXHAUSTION)/$$name.log >> $(PROOF_EXHAUSTION)/passed; done
	@awk '{ passed += $$1 } END { print "proof: exhaustion: " passed " checks passed" }' $(PROOF_EXHAUSTION)/passed

.PHONY: proof-soak
proof-soak: proof-exhaustion $(PROOF_SOAK)/soak $(PROOF_SOAK)/uploads ## Exhaustion, and two soaks of three minutes
	@$(call proof_soak_run,180)

.PHONY: proof-soak-short
proof-soak-short: proof-exhaustion $(PROOF_SOAK)/soak $(PROOF_SOAK)/uploads ## Exhaustion, and two soaks of twenty seconds
	@$(call proof_soak_run,20)
