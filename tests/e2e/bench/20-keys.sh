#!/bin/bash
#
# What many keys and big objects cost.
#
# shellcheck disable=SC2154,SC2317

sealed=250

# idle_start: sets $idle, what a start takes where nothing is to be opened.
idle_start() {
	sweep
	controller_stop
	controller_start
	at_rest 1
	idle=$(cpu)
}

# backdate DAYS KEYS: the objects look as if each had been applied a day after
# its key was made: the keys, newest first, are so many days apart. Only etcd
# itself takes such a time.
backdate() {
	local f
	etcdctl get --prefix "/registry/bitnami.com/sealedsecrets/$ns/" \
	    -w json >"$RIG/old.json"
	jq -c --argjson days "$1" --argjson keys "$2" '.kvs[] |
	    (.key | @base64d | capture("k-(?<n>[0-9]+)$").n | tonumber) as $n |
	    (now - (($n - 1) % $keys * $days - 1) * 86400 |
	    [., now] | min | todate) as $t |
	    {key, value: (.value | @base64d | fromjson |
	    .metadata.creationTimestamp = $t |
	    .metadata.managedFields[].time = $t | tojson | @base64)}' \
	    "$RIG/old.json" >"$RIG/new.json"
	split -l 1 -a 4 -d "$RIG/new.json" "$RIG/new.json."
	for f in "$RIG"/new.json.*; do
		printf 'next\nurl = "http://127.0.0.1:2379/v3/kv/put"\n'
		printf 'data = "@%s"\noutput = /dev/null\nsilent\nfail\n' "$f"
	done | sed 1d >"$RIG/new.curl"
	curl -K "$RIG/new.curl"
	rm "$RIG"/new.json.*
}

# two_passes CERT...: of objects with $items items each (1); sets $first and $second, processor seconds for opening
# all objects for the first time, and again after they were touched.
two_passes() {
	local before
	namespace
	controller_stop
	bench objects create "$ns" k $sealed "${items:-1}" "$@"
	[ -z "${dated:-}" ] || backdate "$dated" $#
	controller_start
	at_rest 1
	first=$(calc "$(cpu) - $idle")
	all_synced $sealed
	before=$(cpu)
	bench objects touch "$ns" k $sealed twice
	at_rest 1
	second=$(calc "$(cpu) - $before")
	report "first $first s, second $second s"
}

keys_are() {
	same "$1" "$(metric keys)" "keys"
}

# passes_row WHAT: beside one key.
passes_row() {
	row "50 keys, $1" "first pass $(calc "$first / $one1"), second $(
	    )$(calc "$second / $one2") of one key's CPU" "1.5, 1.1"
}

# more_keys: 49 of them; sets $all, the certificates of all keys, newest first.
more_keys() {
	local i
	if [ ! -d "$RIG/keys" ]; then
		mkdir "$RIG/keys"
		bench keys "$RIG/keys" kube-system 49
	fi
	cat "$RIG"/keys/*.json | kubectl apply -f -
	within 20 keys_are 50
	all=("$RIG/bench.pem")
	for ((i = 1; i < 50; i++)); do
		all+=("$RIG/keys/key-$i.pem")
	done
}

fifty_keys() {
	local first second one1 one2 all idle dated=''
	certificate_file
	idle_start
	two_passes "$RIG/bench.pem"
	one1=$first one2=$second
	more_keys
	idle_start
	two_passes "$RIG/keys/key-49.pem"
	passes_row "objects sealed with the oldest"
	sweep
	dated=30
	two_passes "${all[@]}"
	passes_row "objects spread evenly, applied when sealed"
	sweep
	dated=''
	two_passes "${all[@]}"
	passes_row "objects spread evenly, all applied today"
	kubectl delete -f "$RIG/keys"
}

# What was applied today and does not tell its key: of several items the one
# that rules out most keys is tried first.
fifty_keys_and_objects_of_five_items() {
	local first second one1 one2 all idle items=5
	certificate_file
	idle_start
	two_passes "$RIG/bench.pem"
	one1=$first one2=$second
	more_keys
	idle_start
	two_passes "${all[@]}"
	passes_row "objects of 5 items spread evenly, all applied today"
	kubectl delete -f "$RIG/keys"
}

an_object_of_500_items() {
	local alone rsa p50 before seconds
	certificate_file
	namespace
	read -r alone rsa < <(bench rsa 500 2)
	at_rest 1
	before=$(cpu)
	read -r _ _ _ p50 _ < <(bench latency "$ns" big 3 3000 500 \
	    "$RIG/bench.pem")
	seconds=$(calc "($(cpu) - $before) / 3")
	row "one object of 500 items" "$p50 ms, 500 RSA operations on two cores \
$alone ms: $(calc "$p50 / $alone") of it; $(calc "$seconds * 1000 / $p50") \
cores busy, with the bare operations $(calc "$rsa * 1000 / $alone")" \
	    "1.3, both cores busy"
}
test_case an_object_of_500_items

test_case fifty_keys

test_case fifty_keys_and_objects_of_five_items
