#!/usr/bin/env bash
# Are the stored answers of the template cases still those of the real Go
# libraries? Part of `make e2e`; says so and goes on where there is no new
# enough Go.
set -euo pipefail
cd "$(dirname "$0")/gen"

need=$(sed -n 's/^go //p' go.mod)
have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
if [ -z "$have" ] ||
	[ "$(printf '%s\n' "$need" "${have#go}" | sort -V | head -n 1)" != "$need" ]; then
	echo "skip    template answers are Go's: needs Go $need, here is ${have:-none}"
	exit 0
fi
GOTOOLCHAIN=local GOFLAGS=-mod=readonly go run . -check
