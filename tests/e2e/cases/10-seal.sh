#!/bin/bash
#
# The life of one SealedSecret, from the certificate to garbage collection.
#
# shellcheck disable=SC2154,SC2317

kubeseal_fetches_the_certificate_through_the_service_proxy() {
	kubeseal --fetch-cert >"$RIG/cert.pem"
	openssl x509 -in "$RIG/cert.pem" -noout
	same "$(certificate)" "$(cat "$RIG/cert.pem")" "certificate"
	local newest
	newest=$(keys | jq -r '.items | sort_by(.metadata.creationTimestamp) |
	    last | .data["tls.crt"] | @base64d')
	same "$newest" "$(cat "$RIG/cert.pem")" "certificate of the key Secret"
}
test_case kubeseal_fetches_the_certificate_through_the_service_proxy

any_user_may_reach_the_certificate_but_no_other_service() {
	local config=$RIG/user.kubeconfig token
	namespace
	kubectl create serviceaccount -n "$ns" user
	token=$(kubectl create token -n "$ns" user)
	cp "$KUBECONFIG" "$config"
	kubectl config --kubeconfig "$config" set-credentials user \
	    --token "$token"
	kubectl config --kubeconfig "$config" set-context e2e --user user
	KUBECONFIG=$config kubeseal --fetch-cert | openssl x509 -noout
	fails env KUBECONFIG="$config" kubectl get secrets -n "$ns"
}
test_case any_user_may_reach_the_certificate_but_no_other_service

the_first_key_is_stored_as_documented() {
	keys | jq -e '.items | length > 0 and all(
	    (.metadata.name | test("^sealed-secrets-key[a-z0-9]{5}$")) and
	    .type == "kubernetes.io/tls" and
	    (.data["tls.key"] | @base64d |
	    startswith("-----BEGIN RSA PRIVATE KEY-----")))'
	certificate | openssl x509 -noout -text >"$RIG/text"
	grep "Public-Key: (4096 bit)" "$RIG/text"
	grep "Encipher Only" "$RIG/text"
}
test_case the_first_key_is_stored_as_documented

a_sealed_secret_becomes_the_secret_that_was_sealed() {
	local value blob
	namespace
	value=$(plain)
	head -c 3000 /dev/urandom >"$RIG/blob"
	blob=$(base64 -w 0 "$RIG/blob")
	secret "$ns" web "password=$value" "empty=" | jq --arg b "$blob" '
	    .data.blob = $b | .type = "example.com/web" |
	    .metadata.labels = {app: "web", tier: "front"} |
	    .metadata.annotations = {"example.com/note": "two words"}' \
	    >"$RIG/in.json"
	seal <"$RIG/in.json" | apply
	kubectl wait -n "$ns" sealedsecret/web --for=condition=Synced \
	    --timeout=20s
	get secret -n "$ns" web >"$RIG/out.json"
	local fields='[.data, .type, .metadata.labels, .metadata.annotations]'
	same "$(jq -cS "$fields" "$RIG/in.json")" \
	    "$(jq -cS "$fields" "$RIG/out.json")" "Secret"
	jq -r '.data.blob' "$RIG/out.json" | base64 -d | cmp - "$RIG/blob"
	local uid
	uid=$(get sealedsecret -n "$ns" web | jq -r .metadata.uid)
	same "$(jq -cnS --arg uid "$uid" '[{apiVersion: "bitnami.com/v1alpha1",
	    kind: "SealedSecret", name: "web", $uid, controller: true}]')" \
	    "$(jq -cS .metadata.ownerReferences "$RIG/out.json")" \
	    "owner references"
}
test_case a_sealed_secret_becomes_the_secret_that_was_sealed

the_status_and_the_event_tell_of_success() {
	namespace
	secret "$ns" s "foo=$(plain)" | seal | apply
	within 20 synced "$ns" s True
	get sealedsecret -n "$ns" s | jq -e '.status |
	    (.conditions | map(.type) == ["Synced", "Ready"]) and
	    .observedGeneration == 1 and
	    (.conditions[0] | (.message // "") == "" and
	    .lastUpdateTime == .lastTransitionTime and
	    (.lastUpdateTime | test("^[0-9-]{10}T[0-9:]{8}Z$")))'
	within 20 event "$ns" s Unsealed
	same "SealedSecret unsealed successfully" "$(event "$ns" s Unsealed)" \
	    "event"
	local uid
	uid=$(get sealedsecret -n "$ns" s | jq -r .metadata.uid)
	get events -n "$ns" | jq -e --arg uid "$uid" '[.items[] |
	    select(.reason == "Unsealed")] | length == 1 and (.[0] |
	    .type == "Normal" and .source.component == "sealed-secrets" and
	    .reportingComponent == "sealed-secrets" and
	    (.involvedObject | .kind == "SealedSecret" and .uid == $uid and
	    .apiVersion == "bitnami.com/v1alpha1"))'
}
test_case the_status_and_the_event_tell_of_success

an_update_reaches_the_secret() {
	local new
	namespace
	secret "$ns" s "foo=$(plain)" | seal | apply
	within 20 synced "$ns" s True
	new=$(plain)
	secret "$ns" s "foo=$new" | seal | apply
	unsealed "$ns" s "foo=$new"
	get sealedsecret -n "$ns" s | jq -e '.status.observedGeneration == 2'
}
test_case an_update_reaches_the_secret

an_item_can_be_renamed() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	jq '.spec.encryptedData = {bar: .spec.encryptedData.foo}' \
	    "$RIG/s.json" | kubectl replace -f -
	unsealed "$ns" s "bar=$value"
}
test_case an_item_can_be_renamed

an_item_can_be_appended() {
	local one two
	namespace
	one=$(plain) two=$(plain)
	secret "$ns" s "one=$one" | seal >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "one=$one"
	secret "$ns" s "two=$two" | seal --merge-into "$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "one=$one" "two=$two"
}
test_case an_item_can_be_appended

a_raw_item_unseals() {
	local value item scope
	namespace
	value=$(plain)
	for scope in strict namespace-wide cluster-wide; do
		item=$(printf %s "$value" | kubeseal --raw --namespace "$ns" \
		    --name "$scope" --scope "$scope" --from-file=/dev/stdin)
		jq -n --arg ns "$ns" --arg scope "$scope" --arg item "$item" '
		    {apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret",
		    metadata: {name: $scope, namespace: $ns, annotations:
		    {"sealedsecrets.bitnami.com/\($scope)": "true"}},
		    spec: {encryptedData: {raw: $item}}}' | apply
	done
	for scope in strict namespace-wide cluster-wide; do
		unsealed "$ns" "$scope" "raw=$value"
	done
}
test_case a_raw_item_unseals

a_deleted_secret_comes_back() {
	local value uid
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal | apply
	unsealed "$ns" s "foo=$value"
	uid=$(get secret -n "$ns" s | jq -r .metadata.uid)
	kubectl delete secret -n "$ns" s
	unsealed "$ns" s "foo=$value"
	get secret -n "$ns" s | jq -e --arg uid "$uid" '.metadata.uid != $uid'
}
test_case a_deleted_secret_comes_back

a_deleted_sealed_secret_takes_its_secret_along() {
	namespace
	secret "$ns" s "foo=$(plain)" | seal | apply
	within 20 exists secret -n "$ns" s
	within 20 synced "$ns" s True
	kubectl delete sealedsecret -n "$ns" s
	within 60 gone secret -n "$ns" s
	stays 2 gone secret -n "$ns" s
}
test_case a_deleted_sealed_secret_takes_its_secret_along

a_replaced_sealed_secret_gets_its_secret_again() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal >"$RIG/s.json"
	apply <"$RIG/s.json"
	unsealed "$ns" s "foo=$value"
	kubectl delete sealedsecret -n "$ns" s
	apply <"$RIG/s.json"
	owned_by_the_new_one() {
		local uid
		uid=$(get sealedsecret -n "$ns" s | jq -r .metadata.uid)
		get secret -n "$ns" s | jq -e --arg uid "$uid" \
		    '.metadata.ownerReferences[0].uid == $uid'
	}
	within 90 owned_by_the_new_one
	unsealed "$ns" s "foo=$value"
}
test_case a_replaced_sealed_secret_gets_its_secret_again

a_type_reaches_the_secret() {
	local config
	namespace
	config=$(jq -cn --arg p "$(plain)" '{auths: {"r.example":
	    {auth: ("u:" + $p | @base64)}}}')
	secret "$ns" pull ".dockerconfigjson=$config" |
	    jq '.type = "kubernetes.io/dockerconfigjson"' | seal | apply
	unsealed "$ns" pull ".dockerconfigjson=$config"
	get secret -n "$ns" pull |
	    jq -e '.type == "kubernetes.io/dockerconfigjson"'
}
test_case a_type_reaches_the_secret

objects_that_cannot_unseal_do_not_disturb_others() {
	local value
	namespace
	value=$(plain)
	jq -n --arg ns "$ns" '{apiVersion: "bitnami.com/v1alpha1",
	    kind: "SealedSecret", metadata: {name: "bad", namespace: $ns},
	    spec: {encryptedData: {a: "NOTVALID*BASE64=", b: "", c: "AAAA"},
	    template: {metadata: {ownerReferences: "nonsense"}}}}' | apply
	secret "$ns" good "foo=$value" | seal | apply
	unsealed "$ns" good "foo=$value"
	refused "$ns" bad "illegal base64 data at input byte 8 (a)"
	has "$(message "$ns" bad)" "no key could decrypt secret (b, c)"
	gone secret -n "$ns" bad
}
test_case objects_that_cannot_unseal_do_not_disturb_others

# A null has to get through the CRD's schema first. "kubectl apply" would take
# it for a field to remove.
templates_are_rendered_and_a_null_takes_an_item_out() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal | jq '.spec.template.data =
	    {cfg: "<{{ .foo | trunc 100 }}>", foo: null}' |
	    kubectl create -f -
	within 20 synced "$ns" s True
	data_is "$ns" s "$(items "cfg=<$value>")"
}
test_case templates_are_rendered_and_a_null_takes_an_item_out

a_template_that_fails_writes_nothing_and_tells_no_value() {
	local value
	namespace
	value=$(plain)
	secret "$ns" s "foo=$value" | seal |
	    jq '.spec.template.data = {cfg: "{{ fail .foo }}"}' | apply
	within 20 synced "$ns" s False
	has "$(message "$ns" s)" "template: cfg:1:"
	lacks "$(message "$ns" s)" "$value"
	stays 2 gone secret -n "$ns" s
}
test_case a_template_that_fails_writes_nothing_and_tells_no_value
