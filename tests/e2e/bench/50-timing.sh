#!/bin/bash
#
# Does the time that /v1/verify takes tell why something does not open?
#
# shellcheck disable=SC2154,SC2317

times_of_answers_by_kind_of_failure() {
	local line
	certificate_file
	controller_stop
	controller_start --rate-limit=0
	"$BENCH/bench_timing" "$address" 8080 "$RIG/bench.pem" \
	    "${BENCH_SAMPLES:-12000}" >"$RIG/bench.timing"
	grep samples "$RIG/bench.timing" >>"$RIG/report"
	while read -r line; do
		case $line in
		valid*) report "$line" ;;
		*) row "\`/v1/verify\`, ${line%%:*}" "${line#*: }" \
		    "0 in the interval" ;;
		esac
	done < <(grep -v samples "$RIG/bench.timing")
	controller_stop
	controller_start
}
test_case times_of_answers_by_kind_of_failure
