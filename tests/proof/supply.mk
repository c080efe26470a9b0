# What the library and what tries it are made of: licences, sources, bans, checksums, what is said of it,
# and the bill of materials. In seconds, without a network: before, cargo fetches the crates of other
# platforms, which to build here takes none of, and asks nobody if it has them.

.PHONY: proof-supply
proof-supply: all local_api ## Check the licences, sources and documents of all dependencies
	@find . -name Cargo.lock -not -path '*/build/*' -not -path '*/target/*' | while read -r lock; do \
	  (cd "$${lock%/*}" && $(CARGO) fetch --quiet --locked) || \
	  { echo "cargo lacks crates of $$lock, and cannot fetch them" >&2; exit 1; }; done
	@BUILD=$(abspath $(BUILD)) python3 -B tests/proof/supply/test_supply.py
	@python3 -B tests/proof/test_summary.py

.PHONY: proof-supply-short
proof-supply-short: proof-supply ## The same
