#!/bin/bash
#
# What many keys and big objects cost.
#
# shellcheck disable=SC2154,SC2317

sealed=250

# pass COMMAND...: sets $spent, the processor seconds of the controller until
# it rests again.
pass() {
	local before
	before=$(cpu)
	"$@"
	at_rest 1
	spent=$(calc "$(cpu) - $before")
}

# two_passes NAME CERT...: sets $first and $second.
two_passes() {
	local spent
	namespace
	pass bench objects create "$ns" k $sealed 1 "$@"
	first=$spent
	same "$sealed" "$(get sealedsecrets -n "$ns" | jq '[.items[] |
	    select(.status.conditions[0].status == "True")] | length')" Synced
	pass bench objects touch "$ns" k $sealed twice
	second=$spent
}

an_object_of_500_items() {
	local alone p50 before seconds
	certificate_file
	namespace
	read -r alone _ < <(bench rsa 500 2)
	at_rest 1
	before=$(cpu)
	read -r _ _ _ p50 _ < <(bench latency "$ns" big 3 3000 500 \
	    "$RIG/bench.pem")
	seconds=$(calc "($(cpu) - $before) / 3")
	row "one object of 500 items" "$p50 ms, 500 RSA operations on two cores \
$alone ms: $(calc "$p50 / $alone") of it; $(calc "$seconds * 1000 / $p50") \
cores busy" "1.3, both cores busy"
}
test_case an_object_of_500_items

fifty_keys() {
	local first second one1 one2 all
	certificate_file
	two_passes "$RIG/bench.pem"
	one1=$first one2=$second
	mkdir "$RIG/keys"
	bench keys "$RIG/keys" kube-system 49
	cat "$RIG"/keys/*.json | kubectl apply -f -
	within 20 key_count_is 50
	at_rest 2
	two_passes "$RIG/keys/key-49.pem"
	row "50 keys, objects sealed with the oldest" "first pass $(calc \
	    "$first / $one1"), second $(calc "$second / $one2") of one key's \
CPU" "1.5, 1.1"
	all=("$RIG/bench.pem" "$RIG"/keys/*.pem)
	two_passes "${all[@]}"
	row "50 keys, objects spread evenly" "first pass $(calc \
	    "$first / $one1"), second $(calc "$second / $one2") of one key's \
CPU" "1.5, 1.1"
}
test_case fifty_keys

key_count_is() {
	same "$1" "$(metric keys)" "keys"
}
