#!/bin/bash
#
# Fewer rights and fewer namespaces than the shipped manifest gives.
#
# shellcheck disable=SC2154,SC2317

# What the reference's chart grants with namespaced roles: its rules in each
# additional namespace, and at home no more than keys to list and create.
namespaced_roles() {
	get clusterrolebinding "$app" >"$RIG/binding.json"
	kubectl delete clusterrolebinding "$app"
	role_change '.rules = [{apiGroups: [""], resources: ["secrets"],
	    verbs: ["create", "list"]}]' \
	    role -n kube-system sealed-secrets-key-admin
	kubectl create rolebinding -n "$ns" unsealer \
	    --clusterrole secrets-unsealer \
	    --serviceaccount "kube-system:$app"
}

shipped_roles() {
	jq 'del(.metadata.resourceVersion, .metadata.uid)' \
	    "$RIG/binding.json" | kubectl create -f -
	role_back
	controller_stop
	controller_start
}

namespaced_roles_of_the_reference_are_enough() {
	local value began
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	controller_stop
	namespaced_roles
	trap shipped_roles EXIT
	began=$(log_size)
	# Trimmed; one that is missing is picked up when it appears.
	controller_start --leader-elect=false \
	    --additional-namespaces " $ns, ,$ns-later"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	kubectl delete secret -n "$ns" s
	unsealed "$ns" s "foo=$value"
	kubectl create namespace "$ns-later"
	kubectl create rolebinding -n "$ns-later" unsealer \
	    --clusterrole secrets-unsealer \
	    --serviceaccount "kube-system:$app"
	secret "$ns-later" s "foo=$value" | seal | apply
	within 60 data_is "$ns-later" s "$(items "foo=$value")"
	# Keys cannot be watched, and are followed all the same.
	next_key
	# Before any list has seen it.
	kubectl label secret -n kube-system "$(keys | jq -r '.items |
	    sort_by(.metadata.creationTimestamp) | last | .metadata.name')" \
	    --overwrite "$key_label=compromised"
	within 10 certificate_same
	log_since "$began" >"$RIG/since"
	fails grep -i forbidden "$RIG/since"
	same 1 "$(grep -c "list sealedsecrets in namespace kube-system" \
	    "$RIG/since")" "lines on the refused stream"
}
test_case namespaced_roles_of_the_reference_are_enough

a_label_selector_limits_what_is_served() {
	local value
	namespace
	value=$(plain)
	secret "$ns" mine "foo=$value" | seal |
	    jq '.metadata.labels = {team: "a"}' >"$RIG/mine.json"
	secret "$ns" theirs "foo=$value" | seal >"$RIG/theirs.json"
	controller_stop
	controller_start --label-selector 'team in (a,b)'
	apply <"$RIG/mine.json"
	apply <"$RIG/theirs.json"
	unsealed "$ns" mine "foo=$value"
	gone secret -n "$ns" theirs
	# It is, as soon as it carries the label.
	kubectl label sealedsecret -n "$ns" theirs team=b
	unsealed "$ns" theirs "foo=$value"
	controller_stop
	controller_start
}
test_case a_label_selector_limits_what_is_served
