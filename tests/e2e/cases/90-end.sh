#!/bin/bash
#
# Looks back on the whole run, stops the controller, and then uses the API
# server without it.
#
# shellcheck disable=SC2154,SC2317

no_plaintext_shows_up_in_log_events_or_status() {
	local text where=$RIG/where
	mkdir -p "$where"
	cp "$RIG/controller.log" "$where/log"
	get events -A >"$where/events"
	get sealedsecrets -A >"$where/sealedsecrets"
	curl -sSf "http://$address:8081/metrics" >"$where/metrics"
	[ -s "$RIG/plaintexts" ] || skip "no case has made a plaintext"
	while read -r text; do
		echo "$text"
		printf %s "$text" | base64 -w 0
		echo
		printf %s "$text" | od -An -tx1 | tr -d ' \n'
		echo
	done <"$RIG/plaintexts" >"$RIG/patterns"
	fails grep -F -i -f "$RIG/patterns" -r "$where"
	fails grep "PRIVATE KEY" -r "$where"
}
test_case no_plaintext_shows_up_in_log_events_or_status

SIGTERM_ends_the_controller_within_ten_seconds() {
	local start rc
	start=$(now_ms)
	rc=$(controller_stop TERM)
	same 0 "$rc" "exit status"
	[ $(($(now_ms) - start)) -lt 10000 ] || die "took too long"
}
test_case SIGTERM_ends_the_controller_within_ten_seconds

# No controller may run here: it would touch the objects of these cases.
the_conformance_cases_hold_on_the_real_api_server() {
	[ -x "$CONFORMANCE" ] || die "no program at $CONFORMANCE: make test builds it"
	controller_ended || controller_stop
	cp "$CONFORMANCE" "$RIG/bin/conformance"
	CONFORMANCE_KUBECONFIG=$KUBECONFIG "$RIG/bin/conformance" \
	    >"$RIG/conformance.log" 2>&1 || {
		grep -vE '^\[ (RUN|      OK) ' "$RIG/conformance.log"
		return 1
	}
	report "$(grep -c '^\[       OK \]' "$RIG/conformance.log") cases"
}
test_case the_conformance_cases_hold_on_the_real_api_server
