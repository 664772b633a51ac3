#!/bin/bash
#
# Compares what our chart renders with what the reference's does, for each of
# values/*.yaml, and holds it against differences/*.diff: every difference is
# one that somebody has looked at.
#
#	differences.sh [--write]     --write: take them as they are now
#
# helm and kubectl must be on PATH: tests/e2e/run.sh sees to that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
chart=$here/../../manifests/helm/sealed-secrets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

changed=0
for values in "$here"/values/*.yaml; do
	name=$(basename "$values" .yaml)
	reference=$here/reference/$name.txt
	# What only our chart knows has no counterpart but the defaults.
	[ -e "$reference" ] || reference=$here/reference/defaults.txt
	"$here/facts.sh" "$chart" "$values" >"$work/$name.txt"
	diff -U0 "$reference" "$work/$name.txt" | grep '^[-+][^-+]' \
	    >"$work/$name.diff" || true
	if [ "${1:-}" = --write ]; then
		cp "$work/$name.diff" "$here/differences/$name.diff"
	elif ! diff -u "$here/differences/$name.diff" "$work/$name.diff"; then
		echo "$name.yaml renders differently"
		changed=1
	fi
done
exit $changed
