#!/bin/bash
#
# Compares what our chart renders with what the reference's does, for each of
# values/*.yaml, and holds it against differences/*.diff: every difference is
# one that somebody has looked at.
#
#	differences.sh [--write]     --write: take them as they are now
#
# helm, kubectl and kubeseal, beside which the reference's chart is kept, must be
# on PATH: tests/e2e/run.sh sees to that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
chart=$here/../../manifests/helm/sealed-secrets
theirs=$(dirname "$(command -v kubeseal)")/../share/sealed-secrets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

changed=0
for values in "$here"/values/*.yaml; do
	name=$(basename "$values" .yaml)
	# What only our chart knows has no counterpart but the defaults. The
	# reference's image is its own.
	"$here/facts.sh" "$theirs" "${values/%ours.yaml/defaults.yaml}" |
	    sed 's,image: docker.*,image: (its own),' >"$work/theirs.txt"
	"$here/facts.sh" "$chart" "$values" >"$work/ours.txt"
	diff -U0 "$work/theirs.txt" "$work/ours.txt" | grep '^[-+][^-+]' \
	    >"$work/$name.diff" || true
	if [ "${1:-}" = --write ]; then
		cp "$work/$name.diff" "$here/differences/$name.diff"
	elif ! diff -u "$here/differences/$name.diff" "$work/$name.diff"; then
		echo "$name.yaml renders differently"
		changed=1
	fi
done
exit $changed
