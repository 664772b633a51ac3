#!/bin/bash
#
# A second controller beside the first.
#
# shellcheck disable=SC2154,SC2317

second=$RIG/instances/kube-system/second

# second_start [FLAG...]: another Pod of the Deployment, on other ports.
second_start() {
	trap instances_end EXIT
	instance_start kube-system "$app" second 9080 "$@"
}

second_stop() {
	kill -TERM "$(cat "$second/controller.pid")"
	within 10 test -e "$second/controller.exit"
	kubectl delete pod -n kube-system second --force --grace-period 0
}

second_said() {
	grep -F "$1" "$second/controller.log"
}

# Lease time 15 s and 5 s more, as the README promises.
a_dead_leader_is_replaced_in_time() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	second_start
	fails second_said msg=Leads
	# Every replica serves.
	same "$(certificate)" "$(curl -sSf --max-time 5 \
	    "http://$address:9080/v1/cert.pem")" certificate
	controller_stop KILL
	apply <"$RIG/s.json"
	within 20 data_is "$ns" s "$(items "foo=$value")"
	within 5 synced "$ns" s True
	second_said msg=Leads
	# The one that comes back follows; a stop hands over at once.
	controller_start
	second_stop
	same 0 "$(cat "$second/controller.exit")" "exit status"
	secret "$ns" t "foo=$value" | seal | apply
	within 10 data_is "$ns" t "$(items "foo=$value")"
}
test_case a_dead_leader_is_replaced_in_time

a_leader_that_loses_the_lease_follows_and_comes_back() {
	local value process began
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	process=$(pid controller)
	began=$(log_size)
	said() {
		log_since "$began" | grep -F "$1"
	}
	kubectl patch lease -n kube-system sealed-secrets-controller \
	    --type merge -p '{"spec": {"holderIdentity": "somebody-else",
	    "leaseDurationSeconds": 6}}'
	within 10 said "Leads no more"
	apply <"$RIG/s.json"
	stays 2 gone secret -n "$ns" s
	certificate | openssl x509 -noout
	within 20 data_is "$ns" s "$(items "foo=$value")"
	within 10 synced "$ns" s True
	said msg=Leads
	same "$process" "$(pid controller)" process
}
test_case a_leader_that_loses_the_lease_follows_and_comes_back

# The rolling update of an installation without the flag: old and new overlap.
two_that_overlap_come_to_rest() {
	local value i before
	namespace
	value=$(plain)
	controller_stop
	controller_start --leader-elect=false
	before=$(key_count)
	second_start --leader-elect=false
	for i in 1 2 3 4 5; do
		labelled "$ns" "s$i" "$value"
		edit "s$i" '{"data":{"foo":"d3Jvbmc="}}'
	done
	for i in 1 2 3 4 5; do
		within 10 data_is "$ns" "s$i" "$(items "foo=$value")"
	done
	kubectl delete secret -n "$ns" s1
	within 10 data_is "$ns" s1 "$(items "foo=$value")"
	sleep 2
	stays 5 versions_are "$(versions)"
	second_stop
	same "$before" "$(key_count)" "number of keys"
	controller_stop
	controller_start
}
test_case two_that_overlap_come_to_rest

without_rights_on_leases_it_goes_on_alone() {
	local value began
	namespace
	value=$(plain)
	controller_stop
	trap role_back EXIT
	role_change '.rules |= map(select(.resources != ["leases"]))' \
	    role -n kube-system sealed-secrets-key-admin
	began=$(log_size)
	controller_start
	secret "$ns" s "foo=$value" | seal | apply
	unsealed "$ns" s "foo=$value"
	log_since "$began" >"$RIG/since"
	same 1 "$(grep -c "Not permitted to get, create and" "$RIG/since")" \
	    "warnings"
	fails grep -i forbidden "$RIG/since"
	role_back
	controller_stop
	controller_start
}
test_case without_rights_on_leases_it_goes_on_alone
