#!/bin/bash
#
# Writes reference/*.txt anew: what the reference's chart renders for each of
# values/*.yaml, as facts. The chart comes with the module of kubeseal, so this
# needs go and its module proxy; the tests need neither, they compare with what
# is stored here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$("$here/../e2e/build-tools.sh"):$PATH

cd "$here/../e2e/tools/kubeseal"
module=$(go mod download -json github.com/bitnami-labs/sealed-secrets |
    jq -r .Dir)
for values in "$here"/values/*.yaml; do
	name=$(basename "$values" .yaml)
	[ "$name" != ours ] || continue
	"$here/facts.sh" "$module/helm/sealed-secrets" "$values" |
	    sed 's,image: docker.*,image: (its own),' \
	    >"$here/reference/$name.txt"
done
