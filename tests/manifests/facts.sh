#!/bin/bash
#
# Prints what a chart renders for a file of values, as facts: see facts.jq.
#
#	facts.sh CHART VALUES
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# kubectl turns YAML into JSON without asking a server when it annotates.
helm template release "$1" --namespace seal --include-crds -f "$2" |
    kubectl annotate --local -f - facts=here -o json |
    jq -r -f "$here/facts.jq" | LC_ALL=C sort
