#!/bin/bash
#
# How fast: a cold start beside a bare client, new objects while nothing and
# while much is to be done, a restart where nothing changed.
#
# shellcheck disable=SC2154,SC2317

objects=1000
rounds=${BENCH_ROUNDS:-2}

# The bare client: sets $rate, objects per second, and $each, milliseconds of
# its own processor time for one.
bare_client() {
	local seconds
	fresh_objects "$1"
	bench watch "$ns" "$1" 120 >"$RIG/bench.watch" &
	bench writes "$ns" "$1" 16 >"$RIG/bench.writes"
	wait $!
	read -r rate seconds <"$RIG/bench.writes"
	each=$(calc "$seconds * 1000 / $1")
	bench objects delete "$ns"
}

# The controller, from its start until the last Secret, status and event.
cold_start() {
	local launched end
	fresh_objects "$1"
	echo "$ns" >"$RIG/bench.ns"
	bench watch "$ns" "$1" 120 >"$RIG/bench.watch" &
	local watcher=$!
	launch
	wait $watcher
	end=$(tr ' ' '\n' <"$RIG/bench.watch" | sort -n | tail -n 1)
	rate=$(calc "$1 / ($end - $launched)" %.1f)
	each=$(calc "$(cpu) * 1000 / $1")
}

a_cold_start_beside_a_bare_client() {
	local i rate each bare=0 cold=0
	certificate_file
	controller_stop
	for ((i = 0; i < rounds; i++)); do
		if [ $i -gt 0 ]; then
			controller_stop
			bench objects delete "$(cat "$RIG/bench.ns")"
		fi
		bare_client $objects
		report "bare client $rate/s, $each ms of its own CPU each"
		bare=$(calc "$bare + $rate")
		cold_start $objects
		report "controller  $rate/s, $each ms of its own CPU each"
		cold=$(calc "$cold + $rate")
	done
	row "cold start, $objects SealedSecrets of one item" \
	    "$(calc "$cold / $rounds" %.0f) objects/s, bare client $(calc \
	    "$bare / $rounds" %.0f)/s: $(calc "$cold / $bare") of it" \
	    "0.85 of the bare client"
}
test_case a_cold_start_beside_a_bare_client

# Everything that may be written, as the API server counts it.
all_written() {
	local r sum=''
	for r in secrets sealedsecrets events; do
		sum="$sum $(written $r)"
	done
	echo "$sum"
}

a_restart_with_nothing_changed() {
	local launched before after seconds
	ns=$(cat "$RIG/bench.ns")
	at_rest 2
	before=$(all_written)
	controller_stop
	launch
	ready
	at_rest 3
	seconds=$(cpu)
	after=$(all_written)
	report "writes to secrets, sealedsecrets, events:" \
	    "before$before, after$after"
	row "restart, $objects unchanged" "$(
	    [ "$before" = "$after" ] && echo "0 writes, 0 events" ||
	    echo "writes:$before ->$after"), $seconds s of CPU, of which RSA \
would take 3 s" "0 writes, 0 events, 0 decryptions, 0.3 s"
}
test_case a_restart_with_nothing_changed

what_changed_while_it_was_down_comes_back() {
	local before
	ns=$(cat "$RIG/bench.ns")
	controller_stop
	before=$(data "$ns" m-2)
	kubectl delete secret -n "$ns" m-1
	kubectl patch secret -n "$ns" m-2 --type=merge \
	    -p '{"data": {"item-1": "b3RoZXI="}}'
	controller_start
	within 10 exists secret -n "$ns" m-1
	within 10 data_is "$ns" m-2 "$before"
	row "a Secret deleted or edited while down" "comes back" "comes back"
}
test_case what_changed_while_it_was_down_comes_back

a_new_object_while_idle() {
	local p50 p99 a50
	certificate_file
	namespace
	read -r p50 p99 _ a50 _ < <(bench latency "$ns" n 200 20 1 \
	    "$RIG/bench.pem")
	row "new object while idle: Secret visible" "p50 $p50 ms, p99 $p99 ms \
from sending it (p50 $a50 ms from the answer)" "p50 15 ms"
}
test_case a_new_object_while_idle

a_new_object_during_a_backlog() {
	local launched p50 p99 depth
	certificate_file
	controller_stop
	fresh_objects $objects
	launch
	ready
	read -r p50 p99 _ < <(bench latency "$ns" n 100 30 1 \
	    "$RIG/bench.pem")
	depth=$(metric queue_depth)
	report "waiting when the last of them was there: $depth"
	row "new object during a backlog of $objects" \
	    "p50 $p50 ms, p99 $p99 ms" "p99 500 ms"
	[ "$depth" -gt 0 ]
}
test_case a_new_object_during_a_backlog
