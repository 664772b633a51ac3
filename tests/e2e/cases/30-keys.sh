#!/bin/bash
#
# Sealing keys: several of them, new ones, foreign ones, restored ones.
#
# shellcheck disable=SC2154,SC2317

vectors=$root/tests/vectors

a_wrong_key_yields_no_secret_but_status_and_event() {
	namespace
	secret "$ns" s "foo=$(plain)" |
	    seal --cert "$vectors/keys/other2048.crt.pem" | apply
	refused_without_secret "$ns" s
	get events -n "$ns" | jq -e '[.items[] |
	    select(.reason == "ErrUnsealFailed")] | length > 0 and
	    all(.type == "Warning")'
}
test_case a_wrong_key_yields_no_secret_but_status_and_event

SIGUSR1_makes_exactly_one_new_key_and_the_certificate_follows() {
	local before
	before=$(key_count)
	next_key
	key_count_is() {
		same "$1" "$(key_count)" "number of keys"
	}
	stays 3 key_count_is $((before + 1))
	local newest
	newest=$(kubeseal --fetch-cert | base64 -w 0)
	keys | jq -e --arg c "$newest" \
	    '[.items[] | select(.data["tls.crt"] == $c)] | length == 1'
}
test_case SIGUSR1_makes_exactly_one_new_key_and_the_certificate_follows

old_and_new_key_both_decrypt_and_the_newest_is_served() {
	local one two
	namespace
	one=$(plain) two=$(plain)
	secret "$ns" old "foo=$one" | seal >"$RIG/old.json"
	next_key
	secret "$ns" new "foo=$two" | seal | apply
	apply <"$RIG/old.json"
	unsealed "$ns" new "foo=$two"
	unsealed "$ns" old "foo=$one"
	certificate >"$RIG/after.pem"
	keys | jq -e --rawfile c "$RIG/after.pem" '.items |
	    sort_by(.metadata.creationTimestamp) |
	    last | .data["tls.crt"] | @base64d == $c'
}
test_case old_and_new_key_both_decrypt_and_the_newest_is_served

a_restart_serves_the_same_certificate_and_makes_no_key() {
	local before
	before=$(key_count)
	certificate >"$RIG/before.pem"
	same 0 "$(controller_stop TERM)" "exit status"
	controller_start
	certificate | cmp - "$RIG/before.pem"
	same "$before" "$(key_count)" "number of keys"
}
test_case a_restart_serves_the_same_certificate_and_makes_no_key

keys_from_a_backup_decrypt_at_once() {
	namespace
	jq --arg ns "$ns" '.metadata.namespace = $ns' \
	    "$vectors/cases/cluster-wide/sealed.json" | apply
	jq --arg ns "$ns" '.metadata.namespace = $ns' \
	    "$vectors/cases/cluster-wide-4096/sealed.json" |
	    jq '.metadata.name = "large"' | apply
	refused "$ns" cluster-wide "$no_key"
	sed 's/^    namespace: .*/    namespace: kube-system/' \
	    "$vectors/backup/list.yaml" | kubectl apply -f -
	within 5 synced "$ns" cluster-wide True
	within 5 synced "$ns" large True
	unsealed "$ns" cluster-wide foo=cluster
	unsealed "$ns" large foo=cluster
	controller_stop
	controller_start
	stays 2 synced "$ns" large True
}
test_case keys_from_a_backup_decrypt_at_once

a_relabelled_key_is_not_served_and_comes_back() {
	local newest
	certificate >"$RIG/before.pem"
	newest=$(keys | jq -r --rawfile c "$RIG/before.pem" '.items[] |
	    select(.data["tls.crt"] | @base64d == $c) | .metadata.name')
	kubectl label secret -n kube-system "$newest" --overwrite \
	    "$key_label=compromised"
	within 5 certificate_changed
	kubectl label secret -n kube-system "$newest" --overwrite \
	    "$key_label=active"
	within 5 certificate_same
}
test_case a_relabelled_key_is_not_served_and_comes_back

the_lease_names_the_leader_and_is_given_up() {
	lease() {
		get lease -n kube-system sealed-secrets-controller
	}
	leased() {
		lease | jq -e '.spec.holderIdentity | length > 0'
	}
	within 20 leased
	lease | jq -e '.spec.leaseDurationSeconds == 15 and
	    (.spec.renewTime | test("[.][0-9]{6}Z$"))'
	controller_stop
	lease | jq -e '.spec.holderIdentity // "" == ""'
	controller_start
	within 10 leased
}
test_case the_lease_names_the_leader_and_is_given_up

a_malformed_key_is_reported_and_does_not_stop_the_start() {
	local value
	namespace
	value=$(plain)
	kubectl create secret generic -n kube-system broken-key \
	    --from-literal=tls.key=nonsense --from-literal=tls.crt=nonsense
	kubectl label secret -n kube-system broken-key "$key_label=active"
	reported() {
		get events -n kube-system | jq -e '[.items[] | select(
		    .involvedObject.name == "broken-key" and
		    .reason == "InvalidSealingKey")] | length == 1'
	}
	within 5 reported
	controller_stop
	controller_start
	kubectl delete secret -n kube-system broken-key
	grep broken-key "$RIG/controller.log"
	secret "$ns" s "foo=$value" | seal | apply
	unsealed "$ns" s "foo=$value"
}
test_case a_malformed_key_is_reported_and_does_not_stop_the_start

# The shipped manifest publishes it, and lets every user read that one ConfigMap.
a_user_with_get_on_the_ConfigMap_can_seal_and_a_renewal_reaches_it_in_5_s() {
	namespace
	within 5 published_is_served
	fails kubectl get configmaps -n kube-system --as sealer
	fails kubectl delete configmap -n kube-system "$cert_configmap" \
	    --as sealer
	published kube-system >"$RIG/published.pem"
	lacks "$(cat "$RIG/published.pem")" PRIVATE
	secret "$ns" s "foo=$(plain)" |
	    seal --cert "$RIG/published.pem" | apply
	within 10 kubectl get secret -n "$ns" s
	next_key
	within 5 published_is_served
}
test_case a_user_with_get_on_the_ConfigMap_can_seal_and_a_renewal_reaches_it_in_5_s
