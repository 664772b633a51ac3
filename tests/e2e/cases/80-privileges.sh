#!/bin/bash
#
# The controller may do what it does, and nothing else.
#
# shellcheck disable=SC2154,SC2317

# OpenShift demands it of those who set owners; the last case proves that.
kept="delete secrets"

# The kubelet's side of the Pods is done by hand, so the namespaces' default
# accounts do nothing and all audit lines are the controllers'.  One case runs
# with --old-gc-behavior, which deletes, so that not even that is left.
a_whole_run_uses_every_verb_that_is_granted_cluster_wide() {
	[ -z "$pattern" ] || skip "only a whole run uses them all"
	same "" "$(unused kube-system "$app" 1)" \
	    "granted and never used"
}
test_case a_whole_run_uses_every_verb_that_is_granted_cluster_wide

namespaced_install() {
	local since
	since=$(audit_line)
	kubectl apply -k "$(overlay_in tenant namespaced)"
	instance_start tenant "$app" tenant-0 8080
	busy tenant 8080
	next_published tenant tenant-0
	same "$kept" "$(unused tenant "$app" "$since")" \
	    "granted and never used"
	fails grep -i -e forbidden -e refused \
	    "$RIG/instances/tenant/tenant-0/controller.log"
	instance_kill TERM tenant tenant-0
}

a_namespaced_installation_works_and_uses_every_verb_it_is_granted() {
	alone namespaced_install
}
test_case a_namespaced_installation_works_and_uses_every_verb_it_is_granted

holder() {
	get lease -n kube-system "$app" | jq -r '.spec.holderIdentity // ""'
}

held_by() {
	case $(holder) in
	"$1"*) ;;
	*) die "held by $(holder)" ;;
	esac
}

# Both replicas serve the key that the leader has made.
certificates_are_new() {
	local http
	for http in 8080 8180; do
		curl -sSf "http://$address:$http/v1/cert.pem" >"$RIG/$http.pem"
		fails cmp -s "$RIG/before.pem" "$RIG/$http.pem" || return
	done
	cmp "$RIG/8080.pem" "$RIG/8180.pem"
}

# What only a first key or one that is limited to some namespaces asks for.
limited_key_opens() {
	restricted_key 'team in (blue)'
	kubectl label namespace "$ns" team=blue
	restricted_secret "$ns"
	unsealed "$ns" s foo=bar
	kubectl delete secret -n kube-system restricted
}

# A shorter lease than the default, so that the case need not wait for it.
impatient=(--leader-elect-lease-duration 3s --leader-elect-renew-deadline 2s
	--leader-elect-retry-period 500ms)

ha_install() {
	local since
	namespace
	since=$(audit_line)
	kubectl delete lease -n kube-system "$app"
	kubectl delete configmap -n kube-system "$cert_configmap"
	kubectl apply -k "$(overlay ha)"
	instance_start kube-system "$app" ha-a 8080 "${impatient[@]}"
	within 20 held_by ha-a
	instance_start kube-system "$app" ha-b 8180 "${impatient[@]}"
	within 5 published_is_served
	certificate >"$RIG/before.pem"
	kill -USR1 "$(cat "$RIG/instances/kube-system/ha-a/controller.pid")"
	within 60 certificates_are_new
	within 5 published_is_served
	busy "$ns" 8180
	limited_key_opens
	same "$kept" "$(unused kube-system "$app" "$since")" \
	    "granted and never used"
	instance_kill KILL kube-system ha-a
	within 40 held_by ha-b
	kubectl delete secret -n "$ns" busy
	within 20 exists secret -n "$ns" busy
	instance_kill TERM kube-system ha-b
	kubectl delete pod -n kube-system ha-a ha-b --force --grace-period 0
	kubectl apply -f "$MANIFEST"
	kubectl delete pdb -n kube-system "$app"
}

two_replicas_use_every_verb_and_the_second_takes_over() {
	alone ha_install
}
test_case two_replicas_use_every_verb_and_the_second_takes_over

# A Secret that is there already, and that the controller may take over.
adopted() {
	secret "$ns" "$1" other=value | jq '.metadata.annotations =
	    {"sealedsecrets.bitnami.com/managed": "true"}' | apply
	secret "$ns" "$1" "foo=$2" | seal | apply
}

the_right_to_delete_is_what_lets_it_set_an_owner() {
	local value
	namespace
	value=$(plain)
	unsealer_change '(.rules[] | select(.resources == ["secrets"]).verbs) -=
	    ["delete"]'
	adopted s "$value"
	within 20 synced "$ns" s False
	has "$(message "$ns" s)" "cannot set an ownerRef"
	data_is "$ns" s "$(items other=value)"
	role_back
	within 60 data_is "$ns" s "$(items "foo=$value")"
	within 20 synced "$ns" s True
	get secret -n "$ns" s | jq -e '.metadata.ownerReferences | length == 1'
}
test_case the_right_to_delete_is_what_lets_it_set_an_owner
