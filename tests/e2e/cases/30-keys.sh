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
	certificate >"$RIG/before.pem"
	kill -USR1 "$(pid controller)"
	certificate_changed() {
		! certificate | cmp -s - "$RIG/before.pem"
	}
	within 60 certificate_changed
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
	certificate >"$RIG/before.pem"
	secret "$ns" old "foo=$one" | seal >"$RIG/old.json"
	kill -USR1 "$(pid controller)"
	certificate_changed() {
		! certificate | cmp -s - "$RIG/before.pem"
	}
	within 60 certificate_changed
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

keys_from_a_backup_decrypt_after_a_restart() {
	namespace
	sed 's/^    namespace: .*/    namespace: kube-system/' \
	    "$vectors/backup/list.yaml" | kubectl apply -f -
	jq --arg ns "$ns" '.metadata.namespace = $ns' \
	    "$vectors/cases/cluster-wide/sealed.json" | apply
	jq --arg ns "$ns" '.metadata.namespace = $ns' \
	    "$vectors/cases/cluster-wide-4096/sealed.json" |
	    jq '.metadata.name = "large"' | apply
	refused "$ns" cluster-wide "$no_key"
	controller_stop
	controller_start
	unsealed "$ns" cluster-wide foo=cluster
	unsealed "$ns" large foo=cluster
}
test_case keys_from_a_backup_decrypt_after_a_restart

a_malformed_key_is_reported_and_does_not_stop_the_start() {
	local value
	namespace
	value=$(plain)
	kubectl create secret generic -n kube-system broken-key \
	    --from-literal=tls.key=nonsense --from-literal=tls.crt=nonsense
	kubectl label secret -n kube-system broken-key "$key_label=active"
	controller_stop
	controller_start
	kubectl delete secret -n kube-system broken-key
	grep broken-key "$RIG/controller.log"
	secret "$ns" s "foo=$value" | seal | apply
	unsealed "$ns" s "foo=$value"
}
test_case a_malformed_key_is_reported_and_does_not_stop_the_start
