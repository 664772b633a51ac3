#!/bin/bash
#
# Figures, not judgements: how long many new objects take, and the memory that
# the controller keeps for them.
#
# shellcheck disable=SC2154,SC2317

two_thousand_objects_in_rest() {
	report "RssAnon before: $(anonymous) kB"
	namespace
	many 2000
	report "created after $created ms, all Synced after $finished ms"
	at_rest
	report "RssAnon in rest: $(anonymous) kB"
}
test_case two_thousand_objects_in_rest

two_thousand_objects_after_a_restart() {
	local start
	controller_stop
	start=$(now_ms)
	controller_start
	report "ready after $(($(now_ms) - start)) ms"
	at_rest
	report "RssAnon in rest: $(anonymous) kB"
}
test_case two_thousand_objects_after_a_restart

three_hundred_new_objects() {
	namespace
	many 300
	report "created after $created ms, all Synced after $finished ms"
}
test_case three_hundred_new_objects
