#!/bin/bash
#
# What others do to a Secret, what a restart does, and what the status says to
# the tools that ask for it.
#
# shellcheck disable=SC2154,SC2317

# labelled NS NAME VALUE: a SealedSecret of one item with a label.
labelled() {
	secret "$1" "$2" "foo=$3" |
	    jq '.metadata.labels = {team: "blue"}' | seal | apply
	unsealed "$1" "$2" "foo=$3"
	within 20 event "$1" "$2" Unsealed
}

# edit NAME PATCH
edit() {
	kubectl patch secret -n "$ns" "$1" --type merge -p "$2"
}

label_is() {
	same "$2" "$(get secret -n "$ns" "$1" |
	    jq -r '.metadata.labels.team')" "label"
}

owned() {
	get secret -n "$ns" "$1" | jq -e '.metadata.ownerReferences[0].controller'
}

version_of() {
	get "$1" -n "$ns" "$2" | jq -r .metadata.resourceVersion
}

version_is() {
	same "$3" "$(version_of "$1" "$2")" "version of $1 $2"
}

hand_edits_are_reverted_and_told() {
	local value
	namespace
	value=$(plain)
	labelled "$ns" s "$value"
	edit s '{"data":{"foo":"d3Jvbmc="}}'
	within 5 data_is "$ns" s "$(items "foo=$value")"
	within 20 event "$ns" s Drifted
	has "$(event "$ns" s Drifted)" "data (foo)"
	edit s '{"data":{"foo":null,"bar":"eA=="}}'
	within 5 data_is "$ns" s "$(items "foo=$value")"
	edit s '{"metadata":{"labels":{"team":"red"}}}'
	within 5 label_is s blue
	edit s '{"metadata":{"ownerReferences":null}}'
	within 5 owned s
	within 20 synced "$ns" s True
}
test_case hand_edits_are_reverted_and_told

# events_of NAME REASON: how often it was told.
events_of() {
	kubectl get events -n "$ns" -o json --field-selector \
	    "involvedObject.name=$1,reason=$2" | jq '[.items[].count] | add // 0'
}

was_told() {
	same "$3" "$(events_of "$1" "$2")" "events $2 of $1"
}

detected() {
	same "$1" "$(curl -sSf "http://$address:8081/metrics" |
	    sed -n 's/^.*drift_total{action="detected"} //p')" "found"
}

detection_writes_nothing_and_a_restart_tells_nothing_twice() {
	local value version
	namespace
	value=$(plain)
	controller_stop
	controller_start --drift=detect
	labelled "$ns" s "$value"
	edit s '{"data":{"foo":"d3Jvbmc="}}'
	version=$(version_of secret s)
	within 20 was_told s Drifted 1
	controller_stop
	controller_start --drift=detect
	within 20 detected 1
	stays 2 was_told s Drifted 1
	version_is secret s "$version"
	edit s '{"metadata":{"labels":{"team":"red"}}}'
	within 20 was_told s Drifted 2
	controller_stop
	controller_start
	unsealed "$ns" s "foo=$value"
	within 20 was_told s Drifted 3
}
test_case detection_writes_nothing_and_a_restart_tells_nothing_twice

labels_of_others_are_no_drift() {
	local value version
	namespace
	value=$(plain)
	labelled "$ns" s "$value"
	kubectl label secret -n "$ns" s theirs=yes
	kubectl annotate secret -n "$ns" s example.com/theirs=yes
	version=$(version_of secret s)
	stays 3 version_is secret s "$version"
	edit s '{"data":{"foo":"d3Jvbmc="}}'
	within 5 data_is "$ns" s "$(items "foo=$value")"
	get secret -n "$ns" s | jq -e '.metadata.labels.theirs == "yes" and
	    .metadata.annotations["example.com/theirs"] == "yes"'
}
test_case labels_of_others_are_no_drift


a_restart_writes_nothing_but_what_changed_meanwhile() {
	local value before kept
	namespace
	value=$(plain)
	labelled "$ns" same "$value"
	labelled "$ns" edited "$value"
	labelled "$ns" deleted "$value"
	# The last status has been seen by then.
	sleep 1
	controller_stop
	edit edited '{"data":{"foo":"d3Jvbmc="}}'
	kubectl delete secret -n "$ns" deleted
	kubectl label secret -n "$ns" same theirs=yes
	kept=$(version_of secret same)
	before=$(version_of sealedsecret same)
	controller_start
	within 20 data_is "$ns" edited "$(items "foo=$value")"
	within 20 data_is "$ns" deleted "$(items "foo=$value")"
	stays 2 version_is secret same "$kept"
	version_is sealedsecret same "$before"
	same 1 "$(kubectl get events -n "$ns" -o json --field-selector \
	    involvedObject.name=same,reason=Unsealed |
	    jq '[.items[].count] | add')" "events of the unchanged one"
	within 20 event "$ns" edited Drifted
}
test_case a_restart_writes_nothing_but_what_changed_meanwhile

# was_read NAME: the Secret was asked for since the line $since of the audit log.
was_read() {
	used kube-system "$app" "$since" | jq -es --arg ns "$ns" --arg n "$1" \
	    'any(.[]; .scope == $ns and .resource == "secrets" and
	    .name == $n and .verb == "get")'
}

# A run would log that it updates the object.
runs_of() {
	log_since "$began" | grep -c "msg=Updating key=$ns/$1\$" || true
}

a_restart_that_watches_no_secrets_opens_nothing_without_need() {
	local value kept since began
	namespace
	value=$(plain)
	labelled "$ns" same "$value"
	labelled "$ns" edited "$value"
	sleep 1
	controller_stop
	edit edited '{"data":{"foo":"d3Jvbmc="}}'
	kept=$(version_of secret same)
	since=$(audit_line)
	began=$(log_size)
	controller_start --skip-recreate
	within 20 was_read same
	unsealed "$ns" edited "foo=$value"
	within 20 event "$ns" edited Drifted
	same "0 1" "$(runs_of same) $(runs_of edited)" "runs"
	version_is secret same "$kept"
	controller_stop
	controller_start
}
test_case a_restart_that_watches_no_secrets_opens_nothing_without_need

the_status_has_ready_and_stalled() {
	local value
	namespace
	value=$(plain)
	secret "$ns" good "foo=$value" | seal | apply
	secret "$ns" other "foo=$value" | seal |
	    jq '.metadata.name = "bad"' | apply
	kubectl wait -n "$ns" sealedsecret/good --for=condition=Ready \
	    --timeout=20s
	kubectl wait -n "$ns" sealedsecret/bad --for=condition=Stalled \
	    --timeout=20s
	get sealedsecret -n "$ns" good bad | jq -e '.items |
	    (.[0].status.conditions | map(.type) == ["Synced", "Ready"]) and
	    (.[1].status.conditions | map(.type) ==
		["Synced", "Ready", "Stalled"]) and
	    all(.[].status.conditions[];
		.reason | test("^[A-Z][A-Za-z]+$"))'
	has "$(message "$ns" bad)" "tried scope strict ($ns/bad) with "
	has "$(message "$ns" bad)" "SHA256:"
}
test_case the_status_has_ready_and_stalled

powerful_types_are_refused() {
	namespace
	secret "$ns" s "token-id=abcdef" |
	    jq '.type = "bootstrap.kubernetes.io/token"' | seal | apply
	refused "$ns" s "--allow-secret-types"
	fails exists secret -n "$ns" s
}
test_case powerful_types_are_refused
