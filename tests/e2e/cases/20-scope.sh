#!/bin/bash
#
# Scopes: where a sealed item may be used, and where not.
#
# shellcheck disable=SC2154,SC2317

no_key='no key could decrypt secret (foo)'

# moved NAME NAMESPACE: the SealedSecret on stdin, put elsewhere.
moved() {
	jq --arg n "$1" --arg ns "$2" '.metadata.name = $n |
	    .metadata.namespace = $ns | del(.spec.template.metadata.name,
	    .spec.template.metadata.namespace)'
}

# The texts people search for are the first line; what was tried may follow.
refused_without_secret() {
	refused "$1" "$2" "$no_key"
	same "$no_key" "$(message "$1" "$2" | head -n 1)" "message"
	within 20 event "$1" "$2" ErrUnsealFailed
	same "Failed to unseal: $no_key" \
	    "$(event "$1" "$2" ErrUnsealFailed | head -n 1)" "event"
	gone secret -n "$1" "$2"
}

# seal_in_scope SCOPE: sets $value, and $first and $ns, two namespaces.
seal_in_scope() {
	namespace
	first=$ns
	namespace
	value=$(plain)
	secret "$first" s "foo=$value" | seal --scope "$1" >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$first" s "foo=$value"
}

a_strict_item_is_good_for_its_name_and_namespace_only() {
	seal_in_scope strict
	moved other "$first" <"$RIG/s.json" | apply
	moved s "$ns" <"$RIG/s.json" | apply
	refused_without_secret "$first" other
	refused_without_secret "$ns" s
}
test_case a_strict_item_is_good_for_its_name_and_namespace_only

a_namespace_wide_item_is_good_for_any_name_in_its_namespace() {
	seal_in_scope namespace-wide
	moved other "$first" <"$RIG/s.json" | apply
	moved s "$ns" <"$RIG/s.json" | apply
	unsealed "$first" other "foo=$value"
	refused_without_secret "$ns" s
}
test_case a_namespace_wide_item_is_good_for_any_name_in_its_namespace

a_cluster_wide_item_is_good_everywhere() {
	seal_in_scope cluster-wide
	moved other "$first" <"$RIG/s.json" | apply
	moved elsewhere "$ns" <"$RIG/s.json" | apply
	unsealed "$first" other "foo=$value"
	unsealed "$ns" elsewhere "foo=$value"
}
test_case a_cluster_wide_item_is_good_everywhere

saying_another_scope_does_not_widen_an_item() {
	local scope
	namespace
	for scope in namespace-wide cluster-wide; do
		secret "$ns" "$scope" "foo=$(plain)" | seal --scope strict |
		    jq --arg s "$scope" '.metadata.annotations =
		    {"sealedsecrets.bitnami.com/\($s)": "true"}' | apply
	done
	refused_without_secret "$ns" namespace-wide
	refused_without_secret "$ns" cluster-wide
}
test_case saying_another_scope_does_not_widen_an_item
