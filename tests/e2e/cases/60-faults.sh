#!/bin/bash
#
# Processes are killed, stopped and restarted.
#
# shellcheck disable=SC2154,SC2317

# versions: each Secret and SealedSecret with its resourceVersion.
versions() {
	get secrets,sealedsecrets -A | jq -cS '[.items[] | [.kind,
	    .metadata.namespace, .metadata.name, .metadata.resourceVersion]] |
	    sort'
}

versions_are() {
	same "$1" "$(versions)" "resource versions"
}

kill_9_and_restart_rewrites_nothing() {
	local i before value
	namespace
	for i in 1 2 3 4 5; do
		secret "$ns" "s$i" "foo=$(plain)" | seal | apply
	done
	for i in 1 2 3 4 5; do
		within 20 synced "$ns" "s$i" True
	done
	# Rendered anew, this one would differ each time.
	secret "$ns" random "foo=$(plain)" | seal |
	    jq '.spec.template.data = {r: "{{ randAlphaNum 20 }}"}' | apply
	within 20 synced "$ns" random True
	before=$(versions)
	controller_stop KILL
	controller_start
	stays 5 versions_are "$before"
	value=$(plain)
	secret "$ns" new "foo=$value" | seal | apply
	unsealed "$ns" new "foo=$value"
}
test_case kill_9_and_restart_rewrites_nothing

what_happened_during_a_restart_is_caught_up_with() {
	local value
	namespace
	value=$(plain)
	secret "$ns" lost "foo=$value" | seal | apply
	secret "$ns" changed "foo=$(plain)" | seal | apply
	within 20 synced "$ns" lost True
	within 20 synced "$ns" changed True
	secret "$ns" changed "foo=$value" | seal >"$RIG/changed.json"
	secret "$ns" new "foo=$value" | seal >"$RIG/new.json"
	controller_stop KILL
	kubectl delete secret -n "$ns" lost
	apply <"$RIG/changed.json"
	apply <"$RIG/new.json"
	controller_start
	unsealed "$ns" new "foo=$value"
	unsealed "$ns" changed "foo=$value"
	unsealed "$ns" lost "foo=$value"
}
test_case what_happened_during_a_restart_is_caught_up_with

twenty_seconds_without_an_api_server_do_no_harm() {
	local value
	namespace
	value=$(plain)
	secret "$ns" before "foo=$value" | seal | apply
	unsealed "$ns" before "foo=$value"
	secret "$ns" after "foo=$value" | seal >"$RIG/after.json"
	kill -STOP "$(pid apiserver)"
	stays 20 controller_running
	kill -CONT "$(pid apiserver)"
	apiserver_wait
	apply <"$RIG/after.json"
	within 60 data_is "$ns" after "$(items "foo=$value")"
	within 20 synced "$ns" after True
	kubectl delete secret -n "$ns" before
	within 60 data_is "$ns" before "$(items "foo=$value")"
}
test_case twenty_seconds_without_an_api_server_do_no_harm

a_killed_api_server_that_comes_back_is_followed_again() {
	local value
	namespace
	value=$(plain)
	secret "$ns" after "foo=$value" | seal >"$RIG/after.json"
	apiserver_kill
	stays 3 controller_running
	apiserver_start
	apiserver_wait
	apply <"$RIG/after.json"
	within 60 data_is "$ns" after "$(items "foo=$value")"
	within 20 synced "$ns" after True
}
test_case a_killed_api_server_that_comes_back_is_followed_again

# seen_since SECONDS: the watch on Secrets has given a sign of life since then.
seen_since() {
	curl -sSf "http://$address:8081/metrics" | awk -v since="$1" '
	    /^sealed_secrets_controller_watch_last_seen.*secrets-metadata/ {
		seen = $2 }
	    END { exit !(seen >= since) }'
}

# Earlier outages are over for the watch on Secrets, too: it tells of a new one.
secrets_are_watched() {
	local now
	now=$(date +%s)
	kubectl create secret generic -n "$ns" sign-of-life
	within 60 seen_since "$now"
}

# compact: makes every resource version up to now unknown to etcd.
compact() {
	local revision
	revision=$(etcdctl put /e2e x -w json | jq .header.revision)
	etcdctl compact "$revision"
}

# The API server forgets the versions between the two: its own memory starts
# with its start, and etcd has compacted the rest.
a_compacted_history_leads_to_a_fresh_list() {
	local value old gone sealedsecrets=/apis/bitnami.com/v1alpha1/sealedsecrets
	namespace
	value=$(plain)
	secrets_are_watched
	secret "$ns" lost "foo=$value" | seal | apply
	secret "$ns" changed "foo=$(plain)" | seal | apply
	within 20 synced "$ns" lost True
	within 20 synced "$ns" changed True
	secret "$ns" new "foo=$value" | seal >"$RIG/new.json"
	secret "$ns" changed "foo=$value" | seal >"$RIG/changed.json"
	old=$(kubectl get --raw "$sealedsecrets?limit=1" |
	    jq -er .metadata.resourceVersion)
	kill -STOP "$(pid controller)"
	kubectl delete secret -n "$ns" lost
	apply <"$RIG/changed.json"
	apply <"$RIG/new.json"
	apiserver_kill
	compact
	apiserver_start
	apiserver_wait
	gone=$(kubectl get --raw "$sealedsecrets?$(
	    )watch=1&timeoutSeconds=2&resourceVersion=$old" 2>&1 || true)
	has "$gone" "too old resource version"
	kill -CONT "$(pid controller)"
	secret "$ns" later "foo=$value" | seal | apply
	within 60 data_is "$ns" later "$(items "foo=$value")"
	within 60 data_is "$ns" lost "$(items "foo=$value")"
	unsealed "$ns" new "foo=$value"
	unsealed "$ns" changed "foo=$value"
}
test_case a_compacted_history_leads_to_a_fresh_list

# The controller writes a Secret while it cannot watch Secrets, so it has never
# seen the one that is then deleted.
a_secret_that_went_while_nobody_watched_comes_back() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	unsealer_change '(.rules[] | select(.resources == ["secrets"]).verbs) -=
	    ["list", "watch"]'
	apiserver_kill
	apiserver_start
	apiserver_wait
	apply <"$RIG/s.json"
	within 60 data_is "$ns" s "$(items "foo=$value")"
	within 20 synced "$ns" s True
	kubectl delete secret -n "$ns" s
	role_back
	within 90 data_is "$ns" s "$(items "foo=$value")"
}
test_case a_secret_that_went_while_nobody_watched_comes_back

a_stopped_etcd_is_waited_for() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	kill -STOP "$(pid etcd)"
	stays 5 controller_running
	kill -CONT "$(pid etcd)"
	within 30 kubectl apply -f "$RIG/s.json"
	within 60 data_is "$ns" s "$(items "foo=$value")"
}
test_case a_stopped_etcd_is_waited_for

# A kubelet renews the token long before it ends; here the old one dies first.
a_new_token_is_taken_up() {
	local value old
	namespace
	value=$(plain)
	old=$(cat "$RIG/serviceaccount/token")
	refuses_the_old_one() {
		same 401 "$(curl -s --cacert "$RIG/pki/ca.crt" -o /dev/null \
		    -H "Authorization: Bearer $old" -w '%{http_code}' \
		    "https://$address:$port/api/v1/namespaces")" status
	}
	kubectl delete pod -n kube-system "$app-0" --force --grace-period 0
	cluster_pod
	controller_account
	within 60 refuses_the_old_one
	secret "$ns" s "foo=$value" | seal | apply
	within 90 data_is "$ns" s "$(items "foo=$value")"
	within 20 synced "$ns" s True
}
test_case a_new_token_is_taken_up

outside_the_cluster_a_kubeconfig_does() {
	local config=$RIG/outside.kubeconfig value
	namespace
	value=$(plain)
	controller_stop
	kubectl config view --raw --minify >"$config"
	kubectl config --kubeconfig "$config" unset users
	kubectl config --kubeconfig "$config" set-credentials admin \
	    --token "$(cat "$RIG/serviceaccount/token")"
	chmod 644 "$config"
	(
		cd /
		daemon controller setpriv --reuid 65532 --regid 65532 \
		    --clear-groups env -i POD_NAMESPACE=kube-system \
		    "$RIG/bin/controller" --kubeconfig "$config"
	)
	within 60 certificate
	secret "$ns" s "foo=$value" | seal | apply
	unsealed "$ns" s "foo=$value"
	kill -TERM "$(pid controller)"
	within 15 dead controller
	controller_start
}
test_case outside_the_cluster_a_kubeconfig_does

three_hundred_new_objects_sync() {
	namespace
	many 300
	report "300 new SealedSecrets: created after $created ms, $(
	    )all Synced after $finished ms"
}
test_case three_hundred_new_objects_sync

# asked SINCE: what the controller asked for, but for streams and the Lease,
# from the line SINCE of the audit log on: a time in seconds a line, sorted.
asked() {
	tail -n "+$1" "$RIG/audit.log" | jq -rR --arg u \
	    "system:serviceaccount:kube-system:$app" 'fromjson? |
	    select(.user.username == $u and .objectRef.resource != "leases" and
	    .verb != "list" and .verb != "watch") | .requestReceivedTimestamp |
	    (.[:19] + "Z" | fromdate) + (.[19:-1] | tonumber)' | sort -n
}

limit_qps=20 limit_burst=10

# limited_run COUNT: starts the controller on so many new objects. By the API
# server's own clock, no more requests came than may; those that were on their
# way when the first one came, one for each connection, are allowed for.
limited_run() {
	local since n seconds
	namespace
	many_files "$1"
	controller_stop
	post_all "$RIG/many"
	since=$(audit_line)
	controller_start "${@:2}"
	within 60 all_synced "$1"
	asked "$since" >"$RIG/asked"
	read -r n seconds < <(awk 'NR == 1 { first = $1 }
	    END { print NR, $1 - first }' "$RIG/asked")
	report "$n requests in $seconds s, $limit_qps a second allowed"
	[ "$n" -ge $((2 * $1)) ] || die "only $n requests"
	awk -v n="$n" -v s="$seconds" -v q=$limit_qps -v b=$limit_burst \
	    'BEGIN { exit !(n <= b + q * s + 10) }' ||
	    die "$n requests in $seconds s"
}

limit_by() {
	kubectl set env -n kube-system "deployment/$app" "$@"
}

no_limit() {
	limit_by SEALED_SECRETS_KUBECLIENT_QPS- SEALED_SECRETS_KUBECLIENT_BURST-
	controller_stop
	controller_start
}

a_limit_of_requests_is_kept_by_flag_and_by_environment() {
	trap no_limit EXIT
	limited_run 30 --kubeclient-qps=$limit_qps \
	    --kubeclient-burst=$limit_burst
	limit_by SEALED_SECRETS_KUBECLIENT_QPS=$limit_qps \
	    SEALED_SECRETS_KUBECLIENT_BURST=$limit_burst
	limited_run 30
}
test_case a_limit_of_requests_is_kept_by_flag_and_by_environment
