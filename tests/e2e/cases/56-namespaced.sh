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
	grant_namespace "$ns"
}

grant_namespace() {
	kubectl create rolebinding -n "$1" unsealer \
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

# In the log in $RIG/since, but on the ConfigMap, which these Roles do not let be
# written where the certificate is another one.
nothing_forbidden() {
	grep -v "Not permitted to publish" "$RIG/since" >"$RIG/others"
	fails grep -i forbidden "$RIG/others"
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
	grant_namespace "$ns-later"
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
	same 1 "$(grep -c "Not permitted to publish the certificate" \
	    "$RIG/since")" "lines on the ConfigMap"
	nothing_forbidden
	same 1 "$(grep -c "list sealedsecrets in namespace kube-system" \
	    "$RIG/since")" "lines on the refused stream"
}
test_case namespaced_roles_of_the_reference_are_enough

# refusals NS: lines about the refused stream of SealedSecrets there.
refusals() {
	log_since "$began" |
	    grep -c "list sealedsecrets in namespace $1\""
}

one_refusal() {
	same 1 "$(refusals "$1")" "lines on the refused stream of $1"
}

a_namespace_without_its_role_waits_and_does_not_disturb_others() {
	local value began bare
	namespace
	bare=$ns-bare
	kubectl create namespace "$bare"
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	secret "$bare" s "foo=$value" | seal >"$RIG/bare.json"
	controller_stop
	namespaced_roles
	trap shipped_roles EXIT
	began=$(log_size)
	controller_start --leader-elect=false \
	    --additional-namespaces "$bare,$ns"
	apply <"$RIG/bare.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	within 10 one_refusal "$bare"
	gone secret -n "$bare" s
	grant_namespace "$bare"
	within 60 data_is "$bare" s "$(items "foo=$value")"
	within 20 synced "$bare" s True
	# The others went on meanwhile, and still do.
	kubectl delete secret -n "$ns" s
	unsealed "$ns" s "foo=$value"
	one_refusal "$bare"
	log_since "$began" >"$RIG/since"
	fails grep "list sealedsecrets in namespace $ns\"" "$RIG/since"
	nothing_forbidden
}
test_case a_namespace_without_its_role_waits_and_does_not_disturb_others

# thread_names: those of the controller's threads, sorted.
thread_names() {
	sort "/proc/$(pid controller)/task/"*/comm
}

# Another thread asks at the start which of the namespaces exist.
threads_at_rest() {
	fails grep -x namespaces <(thread_names)
}

connections() {
	find "/proc/$(pid controller)/fd" -lname 'socket:*' | wc -l
}

# list_of N: so many namespaces; the last one exists, the others need not.
list_of() {
	seq -f "$ns-%g" -s , $(($1 - 1))
	echo "$ns"
}

three_hundred_namespaces_cost_no_thread() {
	local value few many
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	controller_stop
	controller_start --additional-namespaces "$(list_of 3 | paste -sd ,)"
	within 20 threads_at_rest
	thread_names >"$RIG/threads.3"
	few=$(connections)
	controller_stop
	controller_start --additional-namespaces "$(list_of 300 | paste -sd ,)"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	within 20 threads_at_rest
	thread_names >"$RIG/threads.300"
	many=$(connections)
	controller_stop
	controller_start
	same "$(cat "$RIG/threads.3")" "$(cat "$RIG/threads.300")" "threads"
	# Two watches for each.
	[ "$many" -ge $((few + 2 * 297)) ] ||
	    die "$few connections, then $many"
}
test_case three_hundred_namespaces_cost_no_thread

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
