#!/bin/bash
#
# Two hundred malformed SealedSecrets, as a cluster without the schema would
# have them, beside two hundred good ones.
#
# shellcheck disable=SC2154,SC2317

# The definition as very old installations have it: anything goes.
schema_off() {
	get crd sealedsecrets.bitnami.com >"$RIG/crd.json"
	jq 'del(.metadata.resourceVersion) |
	    .spec.versions[].schema.openAPIV3Schema = {type: "object",
	    "x-kubernetes-preserve-unknown-fields": true}' "$RIG/crd.json" |
	    kubectl replace -f -
	anything_goes() {
		bad_objects | sed -n 1p | kubectl create --dry-run=server -f -
	}
	within 30 anything_goes
}

schema_back() {
	kubectl delete namespace "$ns" --wait=false
	jq 'del(.metadata.resourceVersion)' "$RIG/crd.json" |
	    kubectl replace -f -
}

# bad_objects: one a line; the label says what the message has to name.
bad_objects() {
	jq -cn --arg ns "$ns" '
	    def items: {encryptedData: .};
	    def template: {encryptedData: {}, template: .};
	    def meta: {metadata: .} | template;
	    [[null, "spec"], [7, "spec"], [[], "spec"], ["text", "spec"],
	    [(7 | items), "spec.encryptedData"],
	    [([] | items), "spec.encryptedData"],
	    [({num: 7} | items), "num"], [({nul: null} | items), "nul"],
	    [({flag: true} | items), "flag"],
	    [({tree: {a: [[[{}]]]}} | items), "tree"],
	    [({b64: "%%%"} | items), "b64"], [({url: "_-8="} | items), "url"],
	    [({empty: ""} | items), "empty"], [({cut: "AgA="} | items), "cut"],
	    [({"a/b": "AgAA"} | items), "a/b"],
	    [([] | template), "spec.template"], [(7 | template), "spec.template"],
	    [({metadata: 7} | template), "spec.template.metadata"],
	    [({labels: {a: 7}} | meta), "spec.template.metadata.labels"],
	    [({labels: "text"} | meta), "spec.template.metadata.labels"],
	    [({annotations: {a: true}} | meta),
		"spec.template.metadata.annotations"],
	    [({finalizers: {a: 1}} | meta),
		"spec.template.metadata.finalizers"],
	    [({type: []} | template), "spec.template.type"],
	    [({immutable: "yes"} | template), "spec.template.immutable"],
	    [({data: []} | template), "spec.template.data"],
	    [({type: "bootstrap.kubernetes.io/token"} | template), "type"],
	    [{data: 7}, "spec.data"], [{data: {}}, "spec.data"]] as $kinds |
	    [[([range(3000) | {key: "item-\(10000 + .)", value: "AgAA"}] |
		from_entries | items), "item-10000"],
	    [({long: ("A" * 1000000)} | items), "long"],
	    [({deep: (reduce range(50) as $i ([]; [.]))} | items), "deep"]] as
	    $large | range(200) as $i |
	    (if $i < 3 then $large[$i] else $kinds[$i % ($kinds | length)] end)
	    as $k | {apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret",
	    metadata: {name: "bad-\($i)", namespace: $ns,
	    annotations: {names: $k[1]}}, spec: $k[0]}'
}

# post_lines: creates what is on stdin, an object a line.
post_lines() {
	local i=0 line dir=$RIG/lines
	mkdir -p "$dir"
	while IFS= read -r line; do
		i=$((i + 1))
		printf %s "$line" >"$dir/$i.json"
	done
	post_list "$dir"
	post_all "$dir"
	rm -rf "$dir"
}

# verdicts: how many are decided as they should be.
verdicts() {
	get sealedsecrets -n "$ns" | jq -c '[.items[] | select(
	    .status.observedGeneration == .metadata.generation) |
	    .metadata.annotations.names as $names |
	    .status.conditions[0] | if $names then .status == "False" and
	    (.message | contains($names) and length <= 4096)
	    else .status == "True" end] | [length, map(select(.)) | length] |
	    map(tostring) | join(" ")' -r
}

verdicts_are() {
	same "$1" "$(verdicts)" "decided, and rightly so"
}

the_good_are_served_and_the_bad_are_told() {
	local before after began good=$RIG/good.json
	namespace
	began=$(pid controller) before=$(memory RssAnon)
	trap schema_back EXIT
	schema_off
	secret "$ns" x "foo=$(plain)" | seal --scope cluster-wide |
	    jq -c . >"$good"
	{
		bad_objects
		jq -cn --slurpfile o "$good" 'range(200) as $i | $o[0] |
		    .metadata.name = "good-\($i)"'
	} | post_lines
	within 60 verdicts_are "400 400"
	after=$(memory RssAnon)
	report "RssAnon $before kB, with the 400 $after kB"
	[ "$after" -le $((before + 8192)) ] || die "from $before to $after kB"
	same "$began" "$(pid controller)" "process"
	controller_answers /readyz
	get secrets -n "$ns" | jq -e '[.items[].metadata.name |
	    startswith("bad-")] | any | not'
}
test_case the_good_are_served_and_the_bad_are_told
