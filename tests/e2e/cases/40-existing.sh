#!/bin/bash
#
# A Secret of that name is there already.
#
# shellcheck disable=SC2154,SC2317

managed=sealedsecrets.bitnami.com/managed
patch=sealedsecrets.bitnami.com/patch

# existing [ANNOTATION...]: a Secret s that somebody else made.
existing() {
	local a
	namespace
	kubectl create secret generic -n "$ns" s --from-literal=theirs=kept
	kubectl label secret -n "$ns" s theirs=yes
	kubectl annotate secret -n "$ns" s example.com/theirs=yes
	for a in "$@"; do
		kubectl annotate secret -n "$ns" s "$a=true"
	done
	get secret -n "$ns" s >"$RIG/existing.json"
	value=$(plain)
}

seal_over_it() {
	secret "$ns" s "ours=$value" |
	    jq '.metadata.labels = {ours: "yes"}' | seal | apply
}

owners() {
	get secret -n "$ns" s | jq -r '.metadata.ownerReferences // [] | length'
}

a_foreign_secret_is_left_alone() {
	existing
	seal_over_it
	refused "$ns" s \
	    'Resource "s" already exists and is not managed by SealedSecret'
	within 20 event "$ns" s ErrUpdateFailed
	same 'Resource "s" already exists and is not managed by SealedSecret' \
	    "$(event "$ns" s ErrUpdateFailed)" "event"
	get secret -n "$ns" s | cmp - "$RIG/existing.json"
}
test_case a_foreign_secret_is_left_alone

a_blocked_object_gets_its_secret_once_the_foreign_one_is_gone() {
	existing
	seal_over_it
	refused "$ns" s "already exists and is not managed by SealedSecret"
	kubectl delete secret -n "$ns" s
	within 90 data_is "$ns" s "$(items "ours=$value")"
	within 20 synced "$ns" s True
}
test_case a_blocked_object_gets_its_secret_once_the_foreign_one_is_gone

a_secret_annotated_managed_is_taken_over() {
	existing "$managed"
	seal_over_it
	unsealed "$ns" s "ours=$value"
	get secret -n "$ns" s | jq -e '.metadata |
	    .labels == {ours: "yes"} and (.annotations // {}) == {} and
	    .ownerReferences[0].name == "s"'
}
test_case a_secret_annotated_managed_is_taken_over

a_secret_annotated_patch_is_merged_and_not_owned() {
	existing "$patch"
	seal_over_it
	unsealed "$ns" s theirs=kept "ours=$value"
	same 0 "$(owners)" "owners"
	get secret -n "$ns" s | jq -e '.metadata |
	    .labels == {ours: "yes", theirs: "yes"} and
	    .annotations["example.com/theirs"] == "yes"'
}
test_case a_secret_annotated_patch_is_merged_and_not_owned

a_secret_annotated_patch_and_managed_is_merged_and_owned() {
	existing "$patch" "$managed"
	seal_over_it
	unsealed "$ns" s theirs=kept "ours=$value"
	same 1 "$(owners)" "owners"
	get secret -n "$ns" s | jq -e --arg p "$patch" --arg m "$managed" '
	    .metadata.annotations | .[$p] == "true" and .[$m] == "true"'
}
test_case a_secret_annotated_patch_and_managed_is_merged_and_owned

a_patched_secret_stays_deleted() {
	existing "$patch"
	seal_over_it
	unsealed "$ns" s theirs=kept "ours=$value"
	kubectl delete secret -n "$ns" s
	stays 3 gone secret -n "$ns" s
	# A restart looks at every object and would make it again.
	kubectl delete sealedsecret -n "$ns" s
}
test_case a_patched_secret_stays_deleted

an_immutable_template_makes_an_immutable_secret() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | jq '.immutable = true' | seal | apply
	unsealed "$ns" s "foo=$value"
	get secret -n "$ns" s | jq -e '.immutable == true'
	secret "$ns" s "foo=$(plain)" | jq '.immutable = true' | seal | apply
	within 20 synced "$ns" s False
	get sealedsecret -n "$ns" s | jq -e '.status.observedGeneration == 2'
	within 20 event "$ns" s ErrUpdateFailed
	has "$(event "$ns" s ErrUpdateFailed)" "the target Secret is immutable"
	data_is "$ns" s "$(items "foo=$value")"
}
test_case an_immutable_template_makes_an_immutable_secret

a_secret_without_owner_reference_can_be_asked_for() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | jq '.metadata.annotations = {
	    "sealedsecrets.bitnami.com/skip-set-owner-references": "true",
	    "sealedsecrets.bitnami.com/managed": "true"}' | seal | apply
	unsealed "$ns" s "foo=$value"
	same 0 "$(owners)" "owners"
	kubectl delete secret -n "$ns" s
	unsealed "$ns" s "foo=$value"
}
test_case a_secret_without_owner_reference_can_be_asked_for
