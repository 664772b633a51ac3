#!/bin/bash
#
# Many objects at once.
#
# shellcheck disable=SC2154,SC2034

# post_list DIR: prepares to create the SealedSecrets DIR/1.json, DIR/2.json ...
# in the namespace $ns.
post_list() {
	local i
	for ((i = 1; ; i++)); do
		[ -e "$1/$i.json" ] || break
		cat <<-EOF
			next
			url = "https://$address:$port/apis/bitnami.com/v1alpha1/namespaces/$ns/sealedsecrets"
			header = "Content-Type: application/json"
			data = "@$1/$i.json"
			cacert = "$RIG/pki/ca.crt"
			cert = "$RIG/pki/admin.crt"
			key = "$RIG/pki/admin.key"
			output = "/dev/null"
			silent
			show-error
			fail
		EOF
	done | sed 1d >"$1/curl"
}

# post_all DIR: creates what was prepared, over kept-alive connections and not
# by one client run each, so that the API server and the controller are what is
# measured.
post_all() {
	curl --parallel --parallel-max 4 -K "$1/curl"
}

# A list of 2,000 objects takes long to print; the API server counts faster.
all_synced() {
	[ "$(get sealedsecrets -n "$ns" | jq '[.items[] |
	    select(.status.conditions[0].status == "True")] | length')" = "$1" ]
}

# many_files COUNT: so many SealedSecrets, prepared in $RIG/many.
many_files() {
	local i
	rm -rf "$RIG/many"
	mkdir "$RIG/many"
	secret "$ns" '@NAME@' "foo=$(plain)" | seal --scope cluster-wide |
	    jq -c . >"$RIG/many.json"
	for ((i = 1; i <= $1; i++)); do
		sed "s/@NAME@/m-$i/" "$RIG/many.json" >"$RIG/many/$i.json"
	done
	post_list "$RIG/many"
}

# many COUNT: sets $created and $finished, the milliseconds from before the
# first object until all were there and until all were Synced.
many() {
	local start
	many_files "$1"
	start=$(now_ms)
	post_all "$RIG/many"
	created=$(($(now_ms) - start))
	within $((60 + $1 / 20)) all_synced "$1"
	finished=$(($(now_ms) - start))
	same "$1" "$(get secrets -n "$ns" | jq '[.items[] |
	    select(.metadata.ownerReferences)] | length')" "Secrets"
}

# at_rest [SECONDS]: waits until the controller has used no processor for so
# long (5 s).
at_rest() {
	local end before
	end=$(($(now_ms) + 120000))
	while [ "$(now_ms)" -lt "$end" ]; do
		before=$(ticks)
		sleep "${1:-5}"
		[ $(($(ticks) - before)) -gt 2 ] || return 0
	done
	die "the controller does not come to rest"
}

ticks() {
	awk '{ print $14 + $15 }' "/proc/$(pid controller)/stat"
}
