# What the library is made of: licences, sources, bans, checksums, what is said of it, and the bill of
# materials. Without a network, in seconds.

.PHONY: proof-supply
proof-supply: all local_api ## Check the licences, sources and documents of all dependencies
	@BUILD=$(abspath $(BUILD)) python3 -B tests/proof/supply/test_supply.py
	@python3 -B tests/proof/test_summary.py

.PHONY: proof-supply-short
proof-supply-short: proof-supply ## The same
