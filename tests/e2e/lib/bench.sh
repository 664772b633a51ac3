#!/bin/bash
#
# Words for measuring: the programs of tests/bench, what processes used, and
# rows of the tables in tests/bench/README.md.
#
# shellcheck disable=SC2154,SC2034

# bench NAME ARGUMENT...: a program of tests/bench against this API server.
bench() {
	local name=$1
	shift
	BENCH_SERVER="https://$address:$port" BENCH_PKI="$RIG/pki" \
	    "$BENCH/bench_$name" "$@"
}

# row WHAT MEASURED GOAL: a line of the table.
row() {
	report "| $1 | $2 | $3 |"
}

# calc EXPRESSION [FORMAT]
calc() {
	awk "BEGIN { printf \"${2:-%.2f}\", $1 }"
}

# launch [FLAG...]: starts the controller; $launched is the moment, in seconds.
launch() {
	local args probe
	controller_prepare "$@"
	launched=$EPOCHREALTIME
	controller_launch
}

ready() {
	local probe
	probe=$(container '.readinessProbe.httpGet.path // "/readyz"')
	within 60 controller_answers "$probe"
}

# cpu: processor seconds of the controller so far.
cpu() {
	calc "$(ticks) / 100"
}

# memory FIELD: RssAnon, VmRSS of the controller, in kB.
memory() {
	awk -v f="$1:" '$1 == f { print $2 }' \
	    "/proc/$(pid controller)/status"
}

# certificate_file: the certificate to seal with, in $RIG/bench.pem.
certificate_file() {
	[ -s "$RIG/bench.pem" ] || certificate >"$RIG/bench.pem"
}

# sweep: deletes what earlier cases have made.
sweep() {
	local old
	for old in $(kubectl get namespaces -o name |
	    sed -n 's,^namespace/\(t[0-9a-f]\{8\}\)$,\1,p'); do
		bench objects delete "$old"
	done
}

# written RESOURCE: requests of the API server's own count that wrote some.
written() {
	kubectl get --raw /metrics | awk -v r="resource=\"$1\"" '
	    /^apiserver_request_total{/ && index($0, r) &&
	    /verb="(POST|PUT|PATCH|APPLY|DELETE)"/ { n += $NF }
	    END { print n + 0 }'
}

# metric NAME: of the controller, all its series together.
metric() {
	curl -sSf --max-time 5 "http://$address:8081/metrics" |
	    awk -v n="sealed_secrets_controller_$1" '
	    $1 == n || index($1, n "{") == 1 { s += $NF }
	    END { print s + 0 }'
}

# fresh_objects COUNT: a namespace with so many SealedSecrets of one item.
fresh_objects() {
	namespace
	bench objects create "$ns" m "$1" 1 "$RIG/bench.pem"
}
