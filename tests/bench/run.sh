#!/usr/bin/env bash
# Measurements, each as a ratio to something measured in the same run: opening
# sealed items against `openssl speed`, whole objects against a real API server.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${OUT:=build/release}"
: "${CONTROLLER:=build/controller}"
: "${BENCH_SECONDS:=5}"
export CONTROLLER

echo "== opening sealed items, one core, RSA-4096"
raw=$(openssl speed -seconds "$BENCH_SECONDS" rsa4096 2>/dev/null |
	awk '/^rsa 4096 bits/ {print $6}')
ours=$("$OUT/tests/bench_unseal" "$BENCH_SECONDS")
awk -v raw="$raw" -v ours="$ours" 'BEGIN {
	printf "openssl speed rsa4096 (private operations/s)  %8.1f\n", raw
	printf "items opened/s                                %8.1f\n", ours
	printf "ratio                                         %8.2f\n", ours / raw
}'

echo "== rendering a template of 20 lines, one core"
renders=$("$OUT/tests/bench_render" "$BENCH_SECONDS")
awk -v raw="$raw" -v renders="$renders" 'BEGIN {
	printf "renderings/s                                  %8.1f\n", renders
	printf "cost beside a private operation               %8.4f\n", raw / renders
}'

echo "== on a real API server"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
BENCH=$OUT/tests tests/e2e/run.sh --bench | tee "$log"
echo
echo "| What | Measured | Goal |"
echo "|---|---|---|"
sed -n 's/^ *\(|.*|\)$/\1/p' "$log"
tail -n 1 "$log" | grep -q ' 0 failed'
