#!/bin/bash
#
# Memory beside many objects that are none of the controller's business.
#
# shellcheck disable=SC2154,SC2317

# Base64 text that foreign Secrets are filled with, and what it stands for.
canary=Y2FuYXJ5LW9mLWZvcmVpZ24tc2VjcmV0cy04NTE3

# From peak_start to peak_stop, which sets $most: the controller's highest
# RssAnon.
peak_start() {
	"$BENCH/bench_memory" peak "$(pid controller)" >"$RIG/bench.peak" &
	watcher=$!
}

peak_stop() {
	kill "$watcher"
	wait "$watcher"
	most=$(<"$RIG/bench.peak")
}

memory_rows() {
	row "$1: RssAnon" "$(memory RssAnon) kB" "6,144 kB"
	row "$1: RSS" "$(memory VmRSS) kB" \
	    "17,408 kB on bookworm, 20,480 kB on trixie"
}

two_thousand_objects_beside_foreign_secrets() {
	local watcher most raw found
	certificate_file
	sweep
	controller_stop
	controller_start
	namespace
	peak_start
	bench objects foreign "$ns" 2000 50 "$canary"
	bench objects create "$ns" m 2000 1 "$RIG/bench.pem"
	within 60 all_synced 2000
	at_rest
	memory_rows "2,000 SealedSecrets, 2,000 foreign Secrets of 50 kB"
	peak_stop
	row "peak RssAnon while they are made" "$most kB" "14,336 kB"
	controller_stop
	launch
	within 10 test -s "$RIG/controller.pid"
	peak_start
	ready
	at_rest
	memory_rows "the same after a restart"
	peak_stop
	row "peak RssAnon of that start" "$most kB" "14,336 kB"
	raw=$(base64 -d <<<"$canary")
	found=$(bench memory find "$(pid controller)" "$canary" "$raw" \
	    foreign-1999)
	report "occurrences of the text, of what it stands for, and of a" \
	    "foreign Secret's name (which is known): $found"
	row "bytes of foreign Secrets in the process" "$(
	    [[ $found == "0 0 "[1-9]* ]] && echo none ||
	    echo "found: $found")" none
}
test_case two_thousand_objects_beside_foreign_secrets

a_further_watched_stream() {
	local few many i list=''
	controller_stop
	controller_start --all-namespaces=false
	at_rest
	few=$(memory RssAnon)
	controller_stop
	for ((i = 1; i <= 50; i++)); do
		list+=,stream-$i
	done
	controller_start --all-namespaces=false \
	    --additional-namespaces="${list#,}"
	at_rest
	many=$(memory RssAnon)
	controller_stop
	controller_start
	row "each further watched stream" "$(calc "($many - $few) / 100" %.0f) \
kB (100 streams: $few -> $many kB)" "120 kB"
}
test_case a_further_watched_stream
