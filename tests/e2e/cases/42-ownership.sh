#!/bin/bash
#
# The table of ownership: whatever Secret is there when a SealedSecret is made,
# changed or taken away.
#
# shellcheck disable=SC2154,SC2317

# What is there before the SealedSecret comes to it: its name in the table.
kinds="none owned old foreign managed patch both"

# owner UID: a controller reference to a SealedSecret of the row's name.
owner() {
	jq -cn --arg name "$1" --arg uid "$2" '[{$name, $uid, controller: true,
	    apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret"}]'
}

# sealed_row KIND ITEM: the SealedSecret of one item and one label.
sealed_row() {
	secret "$ns" "$1" "$2=$value" | jq --arg item "$2" '.metadata.labels =
	    {ours: $item}' | seal
}

# place KIND: the Secret that stands for it.
place() {
	local kind=$1 owners=null
	case $kind in
	none) return ;;
	owned) owners=$(owner owned "$(get sealedsecret -n "$ns" owned |
	    jq -r .metadata.uid)") ;;
	old) owners=$(owner old 5c1f3a52-0000-4000-8000-000000000000) ;;
	esac
	secret "$ns" "$kind" theirs=kept one=theirs |
	    jq --arg kind "$kind" --argjson owners "$owners" '.metadata +=
	    {ownerReferences: $owners, labels: {theirs: "yes"}, annotations:
	    ({theirs: "yes"} +
	    if $kind == "managed" or $kind == "both" then
		{"sealedsecrets.bitnami.com/managed": "true"} else {} end +
	    if $kind == "patch" or $kind == "both" then
		{"sealedsecrets.bitnami.com/patch": "true"} else {} end)}' |
	    kubectl create -f -
}

# verdict KIND: what the Secret is like, in one line of JSON.
verdict() {
	get secret -n "$ns" "$1" | jq -cS --arg uid "$(get sealedsecret -n "$ns" "$1" |
	    jq -r .metadata.uid)" '[(.data | keys), .metadata.labels,
	    (.metadata.annotations // {} | keys),
	    ([.metadata.ownerReferences // [] | .[].uid == $uid])]'
}

replaced() {
	echo "[[\"$1\"],{\"ours\":\"$1\"},[],[true]]"
}

# table ITEM WANT...: a line for each kind.
table() {
	local kind item=$1
	shift
	for kind in $kinds; do
		case $kind in
		old | foreign)
			within 20 synced "$ns" "$kind" False
			same "failed update: Resource \"$kind\" already $(
			)exists and is not managed by SealedSecret" \
			    "$(message "$ns" "$kind")" "message of $kind"
			within 20 event "$ns" "$kind" ErrUpdateFailed
			;;
		*)
			within 20 synced "$ns" "$kind" True
			within 20 event "$ns" "$kind" Unsealed
			same "$(printf %s "$value" | base64 -w 0)" \
			    "$(get secret -n "$ns" "$kind" |
				jq -r --arg i "$item" '.data[$i]')" \
			    "value of $kind"
			;;
		esac
		same "$1" "$(verdict "$kind")" "$kind, $item"
		shift
	done
}

# sealed_rows ITEM: the manifests of all rows in one file.
sealed_rows() {
	local kind
	for kind in $kinds; do
		sealed_row "$kind" "$1"
	done >"$RIG/rows.json"
}

# rows_are_there: all rows with what is there before them, and no controller
# nor collector, which would take the Secret of an old UID at once; sets $value.
rows_are_there() {
	local kind
	namespace
	value=$(plain)
	sealed_rows one
	controller_stop
	kill -STOP "$(pid manager)"
	kubectl create -f "$RIG/rows.json"
	for kind in $kinds; do
		place "$kind"
	done
}

the_table_of_ownership_holds() {
	local value
	local refused='[["one","theirs"],{"theirs":"yes"},["theirs"],'
	local p=sealedsecrets.bitnami.com/patch
	local m=sealedsecrets.bitnami.com/managed
	local both='{"ours":'
	rows_are_there
	controller_start
	table one "$(replaced one)" "$(replaced one)" "${refused}[false]]" \
	    "${refused}[]]" "$(replaced one)" \
	    "[[\"one\",\"theirs\"],$both\"one\",\"theirs\":\"yes\"},[\"$p\",\"theirs\"],[]]" \
	    "[[\"one\",\"theirs\"],$both\"one\",\"theirs\":\"yes\"},[\"$m\",\"$p\",\"theirs\"],[true]]"
	sealed_rows two
	kubectl replace -f "$RIG/rows.json"
	table two "$(replaced two)" "$(replaced two)" "${refused}[false]]" \
	    "${refused}[]]" "$(replaced two)" \
	    "[[\"one\",\"theirs\",\"two\"],$both\"two\",\"theirs\":\"yes\"},[\"$p\",\"theirs\"],[]]" \
	    "[[\"one\",\"theirs\",\"two\"],$both\"two\",\"theirs\":\"yes\"},[\"$m\",\"$p\",\"theirs\"],[true]]"
	deleted_secrets_come_back_where_they_should
	deleted_objects_leave_what_is_not_theirs
}
test_case the_table_of_ownership_holds

deleted_secrets_come_back_where_they_should() {
	local kind
	kubectl delete secret -n "$ns" foreign patch
	# The reference's own suite watches for about 100 ms.
	gone secret -n "$ns" foreign
	kubectl delete secret -n "$ns" none owned old managed both
	for kind in none owned old managed both foreign; do
		within 60 data_is "$ns" "$kind" "$(items "two=$value")"
		within 20 synced "$ns" "$kind" True
		same "$(replaced two)" "$(verdict "$kind")" "$kind again"
	done
	gone secret -n "$ns" patch
}

# Where the collector decides, it is the only one to delete.
deleted_objects_leave_what_is_not_theirs() {
	place patch
	kubectl delete sealedsecret -n "$ns" patch foreign both
	exists secret -n "$ns" both
	kill -CONT "$(pid manager)"
	within 60 gone secret -n "$ns" both
	within 60 gone secret -n "$ns" foreign
	exists secret -n "$ns" patch
}

the_old_way_of_deleting_takes_only_what_is_ours() {
	local value kind
	rows_are_there
	controller_start --old-gc-behavior
	for kind in none owned managed both patch; do
		within 20 synced "$ns" "$kind" True
	done
	within 20 synced "$ns" old False
	within 20 synced "$ns" foreign False
	kubectl delete sealedsecret -n "$ns" --all
	for kind in none owned old managed both; do
		within 20 gone secret -n "$ns" "$kind"
	done
	exists secret -n "$ns" patch foreign
	kill -CONT "$(pid manager)"
	controller_stop
	controller_start
}
test_case the_old_way_of_deleting_takes_only_what_is_ours

another_type_waits_until_the_secret_goes() {
	local value
	namespace
	value=$(plain)
	typed() {
		secret "$ns" s "foo=$value" | jq --arg t "$1" '.type = $t' |
		    seal | apply
	}
	type_is() {
		get secret -n "$ns" s | jq -e --arg t "$1" '.type == $t'
	}
	typed example.com/one
	unsealed "$ns" s "foo=$value"
	# An empty type asks for none.
	secret "$ns" s "foo=$value" "bar=$value" | seal |
	    jq 'del(.spec.template.type)' | kubectl replace -f -
	unsealed "$ns" s "foo=$value" "bar=$value"
	type_is example.com/one
	typed example.com/two
	refused "$ns" s "field is immutable"
	type_is example.com/one
	kubectl delete secret -n "$ns" s
	within 60 type_is example.com/two
	within 20 synced "$ns" s True
}
test_case another_type_waits_until_the_secret_goes

immutability_goes_one_way_and_is_told_once() {
	local value
	namespace
	value=$(plain)
	frozen() {
		secret "$ns" s "foo=$1" | jq --argjson i "$2" --arg l "$3" '
		    .immutable = $i | .metadata.labels = {v: $l}' | seal |
		    kubectl apply -f -
	}
	frozen "$value" false one
	unsealed "$ns" s "foo=$value"
	frozen "$value" true two
	within 20 synced "$ns" s True
	get secret -n "$ns" s | jq -e '.immutable'
	frozen "$value" false three
	within 20 synced "$ns" s True
	get secret -n "$ns" s | jq -e '.immutable and
	    .metadata.labels.v == "three"'
	frozen "$(plain)" true four
	refused "$ns" s "field is immutable when \`immutable\` is set"
	within 20 event "$ns" s ErrUpdateFailed
	told_once() {
		get events -n "$ns" | jq -e '[.items[] | select(.reason ==
		    "ErrUpdateFailed") | .count] == [1]'
	}
	stays 3 told_once
	data_is "$ns" s "$(items "foo=$value")"
}
test_case immutability_goes_one_way_and_is_told_once

# Without "managed" it is made, stays a success, and is not written to again.
a_secret_made_without_owner_is_left_to_others() {
	local value
	namespace
	value=$(plain)
	unowned() {
		secret "$ns" s "$1=$value" | jq '.metadata.annotations = {
		    "sealedsecrets.bitnami.com/skip-set-owner-references":
		    "true"}' | seal | apply
	}
	unowned foo
	unsealed "$ns" s "foo=$value"
	same 0 "$(get secret -n "$ns" s |
	    jq '.metadata.ownerReferences // [] | length')" "owners"
	unowned bar
	refused "$ns" s "already exists and is not managed by SealedSecret"
	data_is "$ns" s "$(items "foo=$value")"
	kubectl delete sealedsecret -n "$ns" s
	stays 2 exists secret -n "$ns" s
}
test_case a_secret_made_without_owner_is_left_to_others

# Who may create SealedSecrets at home must not get at every other one so.
no_sealed_secret_makes_a_sealing_key() {
	local before
	before=$(key_count)
	secret kube-system planted "tls.key=$(plain)" | jq --arg l "$key_label" '
	    .metadata.labels = {($l): "active"}' | seal | apply
	within 20 synced kube-system planted False
	gone secret -n kube-system planted
	same "$before" "$(key_count)" "number of keys"
	kubectl delete sealedsecret -n kube-system planted
}
test_case no_sealed_secret_makes_a_sealing_key
