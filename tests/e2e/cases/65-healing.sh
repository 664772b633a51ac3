#!/bin/bash
#
# Whatever stands in the way and goes: a minute later at most all is well,
# without a restart, without an edit, and without many attempts before.
#
# shellcheck disable=SC2154,SC2317,SC2034

# attempts NAME: how often it has been tried since the case began.
attempts() {
	log_since "$log_began" |
	    grep -c "msg=Updating key=$ns/$1$" || true
}

# begin NAME: a namespace, a value, and the manifest of one SealedSecret.
begin() {
	namespace
	value=$(plain)
	log_began=$(log_size)
	secret "$ns" "$1" "foo=$value" | seal >"$RIG/$1.json"
}

# One attempt, five fast ones, then after 1, 2 and 4 s with jitter.
few_attempts() {
	local n
	n=$(attempts "$1")
	if [ "$n" -lt 2 ] || [ "$n" -gt 10 ]; then
		die "$n attempts"
	fi
}

# held NAME REASON: it fails, says why, and is not tried all the time.
held() {
	within 20 synced "$ns" "$1" False
	get sealedsecret -n "$ns" "$1" | jq -e --arg r "$2" \
	    '.status.conditions[0].reason == $r'
	stays 2 synced "$ns" "$1" False
	few_attempts "$1"
}

healed() {
	within 60 synced "$ns" "$1" True
	data_is "$ns" "$1" "$(items "foo=$value")"
}

# forbidden NAME: like begin, and it is held for want of a right.
forbidden() {
	begin "$1"
	unsealer_change '(.rules[] | select(.resources == ["secrets"]).verbs) -=
	    ["create"]'
	apply <"$RIG/$1.json"
	held "$1" Forbidden
}

a_foreign_secret_that_is_annotated_is_taken_at_once() {
	local value log_began
	begin s
	kubectl create secret generic -n "$ns" s --from-literal=foo=theirs
	apply <"$RIG/s.json"
	held s NotOwned
	kubectl annotate secret -n "$ns" s sealedsecrets.bitnami.com/managed=true
	within 10 synced "$ns" s True
	healed s
}
test_case a_foreign_secret_that_is_annotated_is_taken_at_once

a_quota_that_is_lifted_is_noticed() {
	local value log_began
	begin s
	kubectl create quota -n "$ns" none --hard=count/secrets=0
	# There is no controller that would count for it.
	kubectl patch quota -n "$ns" none --subresource=status --type=merge \
	    -p '{"status": {"hard": {"count/secrets": "0"},
	    "used": {"count/secrets": "0"}}}'
	full() {
		! kubectl create secret generic -n "$ns" probe --dry-run=server
	}
	within 20 full
	apply <"$RIG/s.json"
	held s Forbidden
	kubectl delete quota -n "$ns" none
	healed s
}
test_case a_quota_that_is_lifted_is_noticed

rights_that_come_back_are_noticed() {
	local value log_began
	forbidden s
	role_back
	healed s
}
test_case rights_that_come_back_are_noticed

a_refused_status_lands_when_it_may() {
	local value log_began
	begin s
	unsealer_change 'del(.rules[] | select(.resources ==
	    ["sealedsecrets/status"]))'
	apply <"$RIG/s.json"
	within 20 data_is "$ns" s "$(items "foo=$value")"
	untold() {
		get sealedsecret -n "$ns" s | jq -e '.status == null'
	}
	stays 3 untold
	few_attempts s
	role_back
	healed s
}
test_case a_refused_status_lands_when_it_may

# The namespace controller stands still, so that the namespace stays between
# life and death with its SealedSecret in it.
a_namespace_that_ends_and_comes_again_is_served_again() {
	local value log_began
	begin s
	apply <"$RIG/s.json"
	within 20 synced "$ns" s True
	kill -STOP "$(pid manager)"
	kubectl delete namespace "$ns" --wait=false
	kubectl delete secret -n "$ns" s
	terminating() {
		get sealedsecret -n "$ns" s | jq -e '.status.conditions[0] |
		    .status == "False" and .reason == "Forbidden" and
		    (.message | test("being terminated"))'
	}
	within 20 terminating
	stays 2 terminating
	few_attempts s
	kill -CONT "$(pid manager)"
	within 60 gone namespace "$ns"
	kubectl create namespace "$ns"
	apply <"$RIG/s.json"
	healed s
}
test_case a_namespace_that_ends_and_comes_again_is_served_again

# The reverse of a token that ends: the first one is no good.
an_invalid_token_made_valid_is_taken_up() {
	local args value log_began good=$RIG/good-token
	begin s
	apply <"$RIG/s.json"
	within 20 synced "$ns" s True
	secret "$ns" s "bar=$value" | seal >"$RIG/s.json"
	controller_stop
	apply <"$RIG/s.json"
	controller_account
	mv "$RIG/serviceaccount/token" "$good"
	echo not-a-token >"$RIG/serviceaccount/token"
	chmod 644 "$RIG/serviceaccount/token"
	mapfile -t args < <(controller_args)
	rm -f "$RIG/controller.pid" "$RIG/controller.exit"
	controller_run >>"$RIG/controller.log" 2>&1 3>&- 9>&- &
	within 20 controller_answers /healthz
	not_ready() {
		! controller_answers /readyz
	}
	stays 3 not_ready
	mv "$good" "$RIG/serviceaccount/token"
	within 60 controller_answers /readyz
	within 20 synced "$ns" s True
	data_is "$ns" s "$(items "bar=$value")"
}
test_case an_invalid_token_made_valid_is_taken_up

# A policy whose refusal quotes the value.
a_policy_that_quotes_the_value_leaks_nothing() {
	local value log_began encoded
	begin s
	encoded=$(printf %s "$value" | base64 -w 0)
	jq -n --arg ns "$ns" --arg text "'quoted: ' + string(object.data.foo)" \
	    '{apiVersion: "v1", kind: "List", items: [
	    {apiVersion: "admissionregistration.k8s.io/v1",
	    kind: "ValidatingAdmissionPolicy", metadata: {name: $ns},
	    spec: {matchConstraints: {resourceRules: [{apiGroups: [""],
	    apiVersions: ["v1"], operations: ["CREATE"],
	    resources: ["secrets"]}]}, validations: [{expression: "false",
	    messageExpression: $text}]}},
	    {apiVersion: "admissionregistration.k8s.io/v1",
	    kind: "ValidatingAdmissionPolicyBinding", metadata: {name: $ns},
	    spec: {policyName: $ns, validationActions: ["Deny"],
	    matchResources: {namespaceSelector: {matchLabels:
	    {"kubernetes.io/metadata.name": $ns}}}}}]}' | kubectl create -f -
	quotes() {
		has "$(secret "$ns" probe "foo=$value" |
		    kubectl create -f - 2>&1 || true)" "quoted: $encoded"
	}
	within 20 quotes
	apply <"$RIG/s.json"
	within 20 synced "$ns" s False
	has "$(message "$ns" s)" "withheld because it quotes a value"
	lacks "$(message "$ns" s)" "$encoded"
	within 20 event "$ns" s ErrUpdateFailed
	lacks "$(event "$ns" s ErrUpdateFailed)" "$encoded"
	fails grep -F -e "$value" -e "$encoded" "$RIG/controller.log"
	kubectl delete validatingadmissionpolicybinding "$ns"
	kubectl delete validatingadmissionpolicy "$ns"
	healed s
}
test_case a_policy_that_quotes_the_value_leaks_nothing

# Only the annotation changes, which is no new generation.
a_scope_that_is_added_later_heals() {
	local value log_began
	namespace
	value=$(plain)
	log_began=$(log_size)
	secret "$ns" s "foo=$value" | seal --scope cluster-wide |
	    jq 'del(.metadata.annotations)' | apply
	refused "$ns" s "no key could decrypt secret (foo)"
	kubectl annotate sealedsecret -n "$ns" s \
	    sealedsecrets.bitnami.com/cluster-wide=true
	within 5 synced "$ns" s True
	unsealed "$ns" s "foo=$value"
	get sealedsecret -n "$ns" s | jq -e '.metadata.generation == 1'
}
test_case a_scope_that_is_added_later_heals

# The cause changes, the object does not.
the_message_follows_the_cause() {
	local value log_began
	forbidden s
	kubectl create secret generic -n "$ns" s --from-literal=foo=theirs
	role_back
	told() {
		has "$(message "$ns" s)" "already exists and is not managed"
		get sealedsecret -n "$ns" s | jq -e '.status.conditions[0].reason
		    == "NotOwned" and .status.observedGeneration == 1'
	}
	within 60 told
}
test_case the_message_follows_the_cause
