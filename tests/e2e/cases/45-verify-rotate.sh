#!/bin/bash
#
# kubeseal --validate and --re-encrypt, through the API server's proxy.
#
# shellcheck disable=SC2154,SC2317

# validate: SealedSecret on stdin; what kubeseal says on stdout.
validate() {
	kubeseal --validate 2>&1
}

# The limit of the reference is two requests a second and three at once, and
# kubeseal itself waits where it is told to.
reencrypt() {
	kubeseal --re-encrypt -o json
}

new_key() {
	certificate >"$RIG/before.pem"
	# Asked for again where it came too soon after another case's.
	changed_or_asked() {
		certificate_changed && return
		kill -USR1 "$(pid controller)"
		sleep 1
		return 1
	}
	within 60 changed_or_asked
}

# secret_bytes NS NAME: a Secret without what says when and by which write.
secret_bytes() {
	get secret -n "$1" "$2" | jq -cS 'del(.metadata.resourceVersion,
	    .metadata.managedFields)'
}

# item FILE: the ciphertexts in it.
item() {
	jq -cS .spec.encryptedData "$1"
}

verify_says_yes_to_what_opens_and_kubeseal_is_content() {
	local scope
	namespace
	for scope in strict namespace-wide cluster-wide; do
		secret "$ns" s "foo=$(plain)" | seal --scope "$scope" |
		    validate
	done
}
test_case verify_says_yes_to_what_opens_and_kubeseal_is_content

verify_says_no_after_a_rename_and_kubeseal_says_what_is_wrong() {
	local out
	namespace
	secret "$ns" s "foo=$(plain)" | seal >"$RIG/s.json"
	out=$(moved other "$ns" <"$RIG/s.json" | validate) &&
	    die "it was content: $out"
	has "$out" "unable to decrypt sealed secret: other"
	out=$(moved s default <"$RIG/s.json" | validate) &&
	    die "it was content: $out"
	has "$out" "unable to decrypt sealed secret: s"
}
test_case verify_says_no_after_a_rename_and_kubeseal_says_what_is_wrong

verify_answers_kubeseal_s_yaml_too() {
	namespace
	secret "$ns" s "foo=$(plain)" | kubeseal -o yaml >"$RIG/s.yaml"
	validate <"$RIG/s.yaml"
	same 200 "$(curl -sS -o /dev/null -w '%{http_code}' --max-time 10 \
	    --data-binary "@$RIG/s.yaml" "http://$address:8080/v1/verify")" \
	    "status"
}
test_case verify_answers_kubeseal_s_yaml_too

a_re-encrypted_object_gives_the_byte-identical_secret() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" "bar=x" |
	    jq '.type = "example.com/mine" | .immutable = true |
		.metadata.labels = {app: "x", team: "y"} |
		.metadata.annotations = {note: "kept"}' |
	    seal >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value" "bar=x"
	secret_bytes "$ns" s >"$RIG/before.secret"
	new_key
	reencrypt <"$RIG/s.json" >"$RIG/new.json"
	fails same "$(item "$RIG/s.json")" "$(item "$RIG/new.json")" items
	same "$(jq -cS 'del(.spec.encryptedData, .metadata.creationTimestamp,
	    .spec.template.metadata.creationTimestamp)' "$RIG/s.json")" \
	    "$(jq -cS 'del(.spec.encryptedData, .metadata.creationTimestamp,
	    .spec.template.metadata.creationTimestamp)' "$RIG/new.json")" \
	    "all but the items"
	apply <"$RIG/new.json"
	within 20 synced "$ns" s True
	same "$(cat "$RIG/before.secret")" "$(secret_bytes "$ns" s)" "Secret"
}
test_case a_re-encrypted_object_gives_the_byte-identical_secret

a_re-encrypted_stored_object_can_be_applied_as_it_is() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal --scope namespace-wide | apply
	unsealed "$ns" s "foo=$value"
	new_key
	get sealedsecret -n "$ns" s | reencrypt >"$RIG/new.json"
	jq -e '.status == null and (.metadata |
	    .uid == null and .resourceVersion == null and
	    .annotations["sealedsecrets.bitnami.com/namespace-wide"] == "true"
	    and .annotations["kubectl.kubernetes.io/last-applied-configuration"]
	    == null)' "$RIG/new.json"
	apply <"$RIG/new.json"
	unsealed "$ns" s "foo=$value"
}
test_case a_re-encrypted_stored_object_can_be_applied_as_it_is

a_re-encrypted_item_opens_with_the_new_key_only() {
	local value newest
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	new_key
	reencrypt <"$RIG/s.json" >"$RIG/new.json"
	newest=$(kubeseal --fetch-cert | base64 -w 0)
	keys | jq --arg c "$newest" '.items |= [.[] |
	    select(.data["tls.crt"] == $c)]' >"$RIG/new.keys"
	keys | jq --arg c "$newest" '.items |= [.[] |
	    select(.data["tls.crt"] != $c)]' >"$RIG/old.keys"
	jq -e '.items | length == 1' "$RIG/new.keys"
	kubeseal --recovery-unseal --recovery-private-key "$RIG/new.keys" \
	    <"$RIG/new.json" | jq -e --arg v "$value" \
	    '.data.foo | @base64d == $v'
	fails kubeseal --recovery-unseal --recovery-private-key \
	    "$RIG/old.keys" <"$RIG/new.json"
	kubeseal --recovery-unseal --recovery-private-key "$RIG/old.keys" \
	    <"$RIG/s.json" | jq -e .data
}
test_case a_re-encrypted_item_opens_with_the_new_key_only

# seal_v1 SECRET.json: in the way of the first versions, one blob with the whole
# Secret in it. What kubeseal takes for an item may be any bytes; the schema
# wants the new form's member beside it.
seal_v1() {
	local ns name
	ns=$(jq -r .metadata.namespace "$1")
	name=$(jq -r .metadata.name "$1")
	kubeseal --raw --namespace "$ns" --name "$name" --from-file "$1" |
	    jq -R --arg ns "$ns" --arg name "$name" '{
	    apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret",
	    metadata: {$name, namespace: $ns},
	    spec: {data: ., encryptedData: {}}}'
}

an_object_in_the_old_form_unseals_and_rotates_into_the_new_one() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" "bar=x" |
	    jq '.type = "example.com/mine" |
		.metadata.labels = {app: "x"}' >"$RIG/in.json"
	seal_v1 "$RIG/in.json" >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value" "bar=x"
	get secret -n "$ns" s | jq -e '.type == "example.com/mine" and
	    .metadata.labels == {app: "x"}'
	validate <"$RIG/s.json"
	secret_bytes "$ns" s >"$RIG/before.secret"
	new_key
	reencrypt <"$RIG/s.json" >"$RIG/new.json"
	jq -e '.spec | (.data | not) and .template.type == "example.com/mine"
	    and (.encryptedData | keys == ["bar", "foo"])' "$RIG/new.json"
	kubectl replace -f "$RIG/new.json"
	within 20 synced "$ns" s True
	same "$(cat "$RIG/before.secret")" "$(secret_bytes "$ns" s)" "Secret"
}
test_case an_object_in_the_old_form_unseals_and_rotates_into_the_new_one

rotate_refuses_a_renamed_object_and_kubeseal_says_why() {
	local out
	namespace
	secret "$ns" s "foo=$(plain)" | seal >"$RIG/s.json"
	out=$(moved other "$ns" <"$RIG/s.json" | reencrypt 2>&1) &&
	    die "it was rotated: $out"
	has "$out" "decrypt-failed: no key could decrypt secret"
}
test_case rotate_refuses_a_renamed_object_and_kubeseal_says_why

rotate_does_not_widen_a_scope_that_the_template_claims() {
	namespace
	secret "$ns" s "foo=$(plain)" | seal | jq '.spec.template.metadata
	    .annotations = {"sealedsecrets.bitnami.com/cluster-wide": "true"}' |
	    reencrypt >"$RIG/new.json"
	jq -e '[.. | strings | select(test("wide"))] == [] and
	    [paths | map(tostring) | join("/") | select(test("wide"))] == []' \
	    "$RIG/new.json"
	validate <"$RIG/new.json"
	moved other "$ns" <"$RIG/new.json" >"$RIG/moved.json"
	fails validate <"$RIG/moved.json"
}
test_case rotate_does_not_widen_a_scope_that_the_template_claims

# verify_flood: five requests, each from a client of its own by what it says; a
# process for each would be no flood on a busy machine.
verify_flood() {
	local asks=() i
	for ((i = 0; i < 5; i++)); do
		asks+=(--next -o /dev/null -w '%{http_code}\n' --max-time 5
		    -H "X-Forwarded-For: $RANDOM" --data-binary "@$RIG/s.json"
		    "http://$address:8080/v1/verify")
	done
	curl -sS "${asks[@]:1}"
}

a_verify_flood_is_answered_429_and_does_not_delay_a_new_secret() {
	local value start codes
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	for _ in 1 2 3 4; do
		(
			end=$(($(now_ms) + 5000))
			while [ "$(now_ms)" -lt $end ]; do
				verify_flood
			done
		) >"$RIG/flood.$_" &
	done
	sleep 1
	start=$(now_ms)
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	report "a new object under flood: $(($(now_ms) - start)) ms"
	[ $(($(now_ms) - start)) -lt 5000 ]
	wait
	codes=$(sort "$RIG"/flood.* | uniq -c | tr '\n' ' ')
	report "answers: $codes"
	has "$codes" 429
	has "$codes" 200
}
test_case a_verify_flood_is_answered_429_and_does_not_delay_a_new_secret
