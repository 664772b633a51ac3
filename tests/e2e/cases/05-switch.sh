#!/bin/bash
#
# From the reference controller to this one and back, in place: the same Pod,
# service account, flags and objects.  First of all: the reference's client is
# limited to five requests a second, and one malformed SealedSecret stops it.
#
# shellcheck disable=SC2154,SC2317,SC2034

# versions_of KIND NAMESPACE: name and version of each, which any write would change.
versions_of() {
	get "$1" -n "$2" "${@:3}" | jq -cS '[.items[].metadata |
	    {(.name): .resourceVersion}] | add'
}

three_scopes() {
	value=$(plain)
	for scope in strict namespace-wide cluster-wide; do
		secret "$ns" "$scope" "foo=$value" |
		    seal --scope "$scope" | apply
	done
	for scope in strict namespace-wide cluster-wide; do
		unsealed "$ns" "$scope" "foo=$value"
	done
}

all_ready() {
	get sealedsecret -n "$ns" | jq -e 'all(.items[];
	    any(.status.conditions[]; .type == "Ready" and .status == "True")
	    and .status.conditions[0].type == "Synced")'
}

same_versions() {
	same "$secrets" "$(versions_of secret "$ns")" "versions of the Secrets"
	same "$keys" "$(versions_of secret kube-system -l "$key_label")" \
	    "versions of the keys"
}

# As manifests/switching.md has it.
remove_our_conditions() {
	kubectl get sealedsecrets -A -o json |
	    jq '.items |= map(select(.status.conditions)
	        | .status.conditions |= map(select(.type == "Synced")))' |
	    kubectl replace --subresource=status -f -
}

a_switch_from_the_reference_and_back_rewrites_no_secret() {
	local secrets keys sealed
	namespace
	same 0 "$(controller_stop TERM)" "exit status"
	reference_start
	# Its own key, so that it is the reference's keys which are taken over.
	next_key
	three_scopes
	certificate >"$RIG/theirs.pem"
	reference_stop

	secrets=$(versions_of secret "$ns")
	keys=$(versions_of secret kube-system -l "$key_label")
	controller_start "${chart_flags[@]}"
	certificate | cmp - "$RIG/theirs.pem"
	within 60 all_ready
	same_versions
	sealed=$(versions_of sealedsecret "$ns")
	# Nothing more is written after that.
	unchanged() {
		same "$sealed" "$(versions_of sealedsecret "$ns")" "statuses"
	}
	stays 3 unchanged
	same_versions
	# New work is done as ever.
	secret "$ns" new "foo=$value" | seal | apply
	unsealed "$ns" new "foo=$value"
	same 0 "$(controller_stop TERM)" "exit status"

	secrets=$(versions_of secret "$ns")
	reference_start
	remove_our_conditions
	get sealedsecret -n "$ns" | jq -e 'all(.items[];
	    [.status.conditions[].type] == ["Synced"])'
	secret "$ns" newer "foo=$value" | seal | apply
	unsealed "$ns" newer "foo=$value"
	for name in strict namespace-wide cluster-wide new; do
		data_is "$ns" "$name" "$(items "foo=$value")"
	done
	same "$keys" "$(versions_of secret kube-system -l "$key_label")" \
	    "versions of the keys"
	reference_stop
	controller_start
}
test_case a_switch_from_the_reference_and_back_rewrites_no_secret
