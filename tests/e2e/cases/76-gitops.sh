#!/bin/bash
#
# What the tools that roll out from Git make of a SealedSecret in each stage of
# its life: Argo CD by the script that it ships, Flux by the expressions that
# its documentation gives and, where there are none, by kstatus.
#
# shellcheck disable=SC2154,SC2317

flux_current="status.conditions.filter(e, e.type == 'Synced').all(e, $(
)e.status == 'True')"
flux_failed="status.conditions.filter(e, e.type == 'Synced').all(e, $(
)e.status == 'False')"

# A JSON object on stdin as a table of Lua.
lua_table() {
	jq -r 'def quoted: tojson | gsub("\\\\u(?<h>[0-9a-f]{4})"; "\\u{\(.h)}");
	    def table:
	    if type == "object" then "{" + (to_entries |
		map("[\(.key | quoted)] = \(.value | table)") | join(", ")) + "}"
	    elif type == "array" then "{" + (map(table) | join(", ")) + "}"
	    elif type == "string" then quoted
	    elif type == "null" then "nil" else tojson end; table'
}

# argocd: the verdict on an object, and its message.
argocd() {
	{
		printf 'obj = '
		lua_table
		echo 'function judge()'
		argocd-health
		echo 'end'
		echo 'verdict = judge()'
		echo 'print(verdict.status)'
		echo 'print(verdict.message or "")'
	} >"$RIG/health.lua"
	lua5.4 "$RIG/health.lua"
}

# judgements NS NAME: Argo CD's, that of Flux's expressions, that of kstatus.
judgements() {
	local object=$RIG/object.json argo flux
	get sealedsecret -n "$1" "$2" >"$object"
	argo=$(argocd <"$object")
	flux=$(flux-health "$flux_current" "$flux_failed" <"$object")
	echo "${argo%%$'\n'*} ${flux/$'\n'/ }"
}

judged() {
	same "$2" "$(judgements "$ns" "$1")" "verdicts on $1"
}

# The message that Argo CD shows.
argocd_says() {
	get sealedsecret -n "$ns" "$1" | argocd | sed -n 2p
}

# condition_ready SECONDS NAME [VALUE]
condition_ready() {
	kubectl wait -n "$ns" "sealedsecret/$2" --timeout="${1}s" \
	    --for="condition=Ready${3:+=$3}"
}

# apply_unseen FILE: the controller stands still from now on.
apply_unseen() {
	kill -STOP "$(pid controller)"
	apply <"$1"
}

# sealed FILE FOR: a SealedSecret "s" whose items were sealed for that name.
sealed() {
	secret "$ns" "$2" "foo=$(plain)" | seal |
	    jq '.metadata.name = "s"' >"$1"
}

# A first answer is waited for: Flux asks again after "Unknown". To kstatus an
# object of any kind is current that has no conditions yet.
a_fresh_one_is_waited_for() {
	namespace
	sealed "$RIG/s.json" s
	apply_unseen "$RIG/s.json"
	judged s "Progressing Unknown Current"
	fails condition_ready 1 s
	kill -CONT "$(pid controller)"
	condition_ready 20 s
	judged s "Healthy Current Current"
}
test_case a_fresh_one_is_waited_for

a_synced_one_is_healthy_for_all() {
	namespace
	secret "$ns" s "foo=$(plain)" | seal | apply
	condition_ready 20 s
	within 20 synced "$ns" s True
	judged s "Healthy Current Current"
	same "" "$(argocd_says s)" "message"
}
test_case a_synced_one_is_healthy_for_all

a_failing_one_is_failed_for_all_until_it_is_fixed() {
	local value
	namespace
	value=$(plain)
	secret "$ns" other "foo=$value" | seal |
	    jq '.metadata.name = "s"' | apply
	condition_ready 20 s false
	judged s "Degraded Failed Failed"
	has "$(argocd_says s)" "no key could decrypt secret"
	fails condition_ready 1 s
	secret "$ns" s "foo=$value" | seal | apply
	condition_ready 20 s
	judged s "Healthy Current Current"
	same '["Synced","Ready"]' "$(get sealedsecret -n "$ns" s |
	    jq -c '[.status.conditions[].type]')" "conditions"
}
test_case a_failing_one_is_failed_for_all_until_it_is_fixed

# Argo CD's script does not look at generations: it repeats the old verdict
# until the controller has seen the new specification.
an_edited_one_is_in_progress_until_it_was_seen() {
	namespace
	sealed "$RIG/s.json" s
	sealed "$RIG/broken.json" other
	apply <"$RIG/s.json"
	condition_ready 20 s
	apply_unseen "$RIG/broken.json"
	judged s "Healthy InProgress InProgress"
	fails condition_ready 1 s
	kill -CONT "$(pid controller)"
	condition_ready 20 s false
	judged s "Degraded Failed Failed"
	apply_unseen "$RIG/s.json"
	judged s "Degraded InProgress InProgress"
	fails condition_ready 1 s
	kill -CONT "$(pid controller)"
	condition_ready 20 s
	judged s "Healthy Current Current"
}
test_case an_edited_one_is_in_progress_until_it_was_seen

# Argo CD does not ask the script about an object that is being deleted.  The
# deletion itself makes a new generation.
a_deleted_one_keeps_its_last_word() {
	namespace
	secret "$ns" s "foo=$(plain)" | seal | apply
	condition_ready 20 s
	kubectl patch sealedsecret -n "$ns" s --type merge \
	    -p '{"metadata":{"finalizers":["example.com/hold"]}}'
	kubectl delete sealedsecret -n "$ns" s --wait=false
	judged s "Healthy InProgress Terminating"
	kubectl patch sealedsecret -n "$ns" s --type merge \
	    -p '{"metadata":{"finalizers":null}}'
	within 20 gone sealedsecret -n "$ns" s
	within 20 gone secret -n "$ns" s
}
test_case a_deleted_one_keeps_its_last_word

# It is told, and tried again all the same.
one_with_a_foreign_secret_in_its_way_is_failed_until_that_is_gone() {
	namespace
	kubectl create secret generic -n "$ns" s
	secret "$ns" s "foo=$(plain)" | seal | apply
	condition_ready 20 s false
	judged s "Degraded Failed Failed"
	kubectl delete secret -n "$ns" s
	condition_ready 30 s
	judged s "Healthy Current Current"
}
test_case one_with_a_foreign_secret_in_its_way_is_failed_until_that_is_gone
