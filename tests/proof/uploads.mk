# Uploads under every fault at every place, thousands of sequences of faults, and 500 processes killed amid
# one: the tests of tests/network by these names, longer. Every figure is printed as `proof: …`.

PROOF_UPLOADS := upload_ledger upload_killed

.PHONY: proof-upload
proof-upload: all local_api ## Uploads: every fault at every place, and killed processes
	@for name in $(PROOF_UPLOADS); do \
	  UPLOAD_FAULTS_EVERY=1 UPLOAD_SEQUENCES=2000 UPLOAD_KILLS=500 $(NETWORK_TESTS) ONLY=$$name all || exit 1; \
	  sed -n 's/^uploads/proof: &/p' $(abspath $(BUILD))/tests/network/$$name.log; done
