#!/bin/bash
#
# What a person sees who looks with kubectl and curl.
#
# shellcheck disable=SC2154,SC2317

# one_good_one_bad: the namespace $ns with an object of either kind.
one_good_one_bad() {
	namespace
	secret "$ns" good "foo=$(plain)" | seal | apply
	secret "$ns" bad "foo=$(plain)" |
	    seal --cert "$vectors/keys/other2048.crt.pem" | apply
	within 20 synced "$ns" good True
	within 20 synced "$ns" bad False
}

kubectl_get_shows_status_and_synced() {
	one_good_one_bad
	kubectl get sealedsecret -n "$ns" >"$RIG/table"
	cat "$RIG/table"
	grep -E '^NAME +STATUS +SYNCED +AGE$' "$RIG/table"
	grep -E '^good +True +[0-9]+[smh]' "$RIG/table"
	grep -E '^bad +no key could decrypt secret \(foo\)(\.\.\.)? +False +[0-9]+' \
	    "$RIG/table"
}
test_case kubectl_get_shows_status_and_synced

kubectl_wait_sees_the_condition() {
	one_good_one_bad
	kubectl wait -n "$ns" --for=condition=Synced sealedsecret/good \
	    --timeout=10s
	kubectl wait -n "$ns" --for=condition=Synced=False sealedsecret/bad \
	    --timeout=10s
	fails kubectl wait -n "$ns" --for=condition=Synced sealedsecret/bad \
	    --timeout=1s
}
test_case kubectl_wait_sees_the_condition

kubectl_describe_reads_well() {
	one_good_one_bad
	described() {
		kubectl describe sealedsecret -n "$ns" "$1" >"$RIG/$1.txt" &&
		    grep -E "$2" "$RIG/$1.txt"
	}
	within 20 described good \
	    'Normal +Unsealed .*sealed-secrets +SealedSecret unsealed successfully'
	within 20 described bad \
	    'Warning +ErrUnsealFailed .*Failed to unseal: no key could decrypt'
	cat "$RIG/good.txt" "$RIG/bad.txt"
	grep -E '^ +Status: +True' "$RIG/good.txt"
	grep -E '^ +Message: +no key could decrypt secret' "$RIG/bad.txt"
}
test_case kubectl_describe_reads_well

health_and_metrics_are_served() {
	local metrics
	one_good_one_bad
	curl -sSf "http://$address:8080/healthz"
	curl -sSf "http://$address:8080/readyz"
	metrics=$(curl -sSf "http://$address:8081/metrics")
	has "$metrics" 'sealed_secrets_controller_build_info{revision='
	has "$metrics" 'sealed_secrets_controller_unseal_requests_total '
	grep -E 'unseal_errors_total\{.*reason="unseal".*\} [1-9]' \
	    <<<"$metrics"
	grep -E "condition_info\{.*namespace=\"$ns\".*\} -1" <<<"$metrics"
	grep -E "condition_info\{.*namespace=\"$ns\".*\} 1" <<<"$metrics"
}
test_case health_and_metrics_are_served

the_service_account_may_do_what_is_documented_and_no_more() {
	local as=system:serviceaccount:kube-system:$app
	may() {
		kubectl auth can-i -A --as "$as" "$@"
	}
	may list secrets
	may watch sealedsecrets.bitnami.com
	may update sealedsecrets.bitnami.com --subresource=status
	fails may update sealedsecrets.bitnami.com
	fails may patch secrets
	fails may deletecollection secrets
	fails may get pods
	fails may create clusterrolebindings.rbac.authorization.k8s.io
}
test_case the_service_account_may_do_what_is_documented_and_no_more

version_and_help_are_printed() {
	local v='^controller version: (v[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{40})'
	"$RIG/bin/controller" --version >"$RIG/version"
	grep -Ex "$v(\+dirty)?" "$RIG/version"
	"$RIG/bin/controller" --help >"$RIG/help" 2>&1
	grep -e --key-renew-period "$RIG/help"
}
test_case version_and_help_are_printed

# Before the cases with outages: an API server that has just started refuses
# everybody until it has read its roles.
the_api_server_never_refused_the_controller() {
	fails grep -i forbidden "$RIG/controller.log"
}
test_case the_api_server_never_refused_the_controller
