# Uploads under every fault at every place, thousands of sequences of faults, 500 processes killed amid one,
# and a file that is large: the tests of tests/network by these names, longer. Every figure is printed as
# `proof: …`.

PROOF_UPLOADS := upload_ledger upload_tls upload_killed upload_resources

.PHONY: proof-upload
proof-upload: all local_api ## Uploads: every fault at every place, killed processes, large files
	@for name in $(PROOF_UPLOADS); do \
	  TEST_LIMIT=1800 UPLOAD_FAULTS_EVERY=1 UPLOAD_SEQUENCES=2000 UPLOAD_KILLS=500 UPLOAD_WHOLE_MIB=1024 $(NETWORK_TESTS) ONLY=$$name all || exit 1; \
	  sed -n 's/^uploads/proof: &/p' $(abspath $(BUILD))/tests/network/$$name.passed.log; done
