#!/bin/bash
#
# The life of keys: pending until backed up, for some namespaces only, retired
# when no item needs them.
#
# shellcheck disable=SC2154,SC2317

backed_up=sealedsecrets.bitnami.com/backed-up
key_namespaces=sealedsecrets.bitnami.com/namespaces

a_renewed_key_seals_once_its_backup_is_noted() {
	local newest
	same 0 "$(controller_stop TERM)" "exit status"
	controller_start --key-activation-delay 24h
	certificate >"$RIG/before.pem"
	key_count >"$RIG/count"
	kill -USR1 "$(pid controller)"
	one_more() {
		same $(($(cat "$RIG/count") + 1)) "$(key_count)" "keys"
	}
	within 60 one_more
	stays 3 certificate_same
	newest=$(keys | jq -r '.items | sort_by(.metadata.creationTimestamp) |
	    last | .metadata.name')
	kubectl annotate secret -n kube-system "$newest" \
	    "$backed_up=$(date -u +%FT%TZ)"
	within 5 certificate_changed
	same 0 "$(controller_stop TERM)" "exit status"
	controller_start
}
test_case a_renewed_key_seals_once_its_backup_is_noted

# restricted_key ANNOTATION: a key Secret named restricted, and its certificate
# in $RIG/restricted.crt.
restricted_key() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj / -days 90 \
	    -keyout "$RIG/restricted.key" -out "$RIG/restricted.crt"
	kubectl create secret tls -n kube-system restricted \
	    --cert "$RIG/restricted.crt" --key "$RIG/restricted.key"
	kubectl annotate secret -n kube-system restricted \
	    "$key_namespaces=$1"
	kubectl label secret -n kube-system restricted "$key_label=active"
}

# restricted_secret NAMESPACE: cluster-wide, named s, under that key.
restricted_secret() {
	secret "$1" s foo=bar |
	    seal --cert "$RIG/restricted.crt" --scope cluster-wide | apply
}

a_key_for_one_namespace_opens_nothing_elsewhere() {
	local here there
	certificate >"$RIG/before.pem"
	namespace
	here=$ns
	restricted_key "$here"
	namespace
	there=$ns
	restricted_secret "$here"
	restricted_secret "$there"
	unsealed "$here" s foo=bar
	refused_without_secret "$there" s
	# It is the newest one and seals for nobody else.
	certificate | cmp - "$RIG/before.pem"
	kubectl label namespace "$there" team=blue
	kubectl annotate secret -n kube-system restricted --overwrite \
	    "$key_namespaces=team in (blue)"
	within 10 synced "$there" s True
	kubectl delete secret -n kube-system restricted
}
test_case a_key_for_one_namespace_opens_nothing_elsewhere

a_key_that_no_item_needs_is_retired_with_no_object_failing() {
	local print
	namespace
	restricted_key "$ns"
	restricted_secret "$ns"
	unsealed "$ns" s foo=bar
	same 0 "$(controller_stop TERM)" "exit status"
	controller_start --key-usage-delay 1s
	key_items() {
		curl -sSf --max-time 5 "http://$address:8081/metrics" |
		    grep -c "_key_items{.*} $1\$"
	}
	counted() {
		curl -sSf --max-time 5 "http://$address:8081/metrics" |
		    grep -q '_key_items_unknown 0$'
	}
	within 120 counted
	print=$(openssl x509 -in "$RIG/restricted.crt" -pubkey -noout)
	[ -n "$print" ]
	[ "$(key_items 1)" -ge 1 ]
	secret "$ns" s foo=baz | seal --scope cluster-wide | apply
	unsealed "$ns" s foo=baz
	within 5 counted
	kubectl label secret -n kube-system restricted --overwrite \
	    "$key_label=retired"
	stays 3 synced "$ns" s True
	kubectl delete secret -n kube-system restricted
	same 0 "$(controller_stop TERM)" "exit status"
	controller_start
}
test_case a_key_that_no_item_needs_is_retired_with_no_object_failing
