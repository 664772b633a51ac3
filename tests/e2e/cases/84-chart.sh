#!/bin/bash
#
# The chart and the manifests: what they render, whether the API server takes
# it, and the life of a release.
#
# shellcheck disable=SC2154,SC2317

chart=$root/manifests/helm/sealed-secrets
manifests_tests=$root/tests/manifests

the_generated_manifests_are_up_to_date() {
	"$root/.ci/manifests" --check
}
test_case the_generated_manifests_are_up_to_date

helm_lint_is_content_with_every_file_of_values() {
	local values
	for values in "$manifests_tests"/values/*.yaml; do
		helm lint --strict "$chart" -f "$values"
	done
}
test_case helm_lint_is_content_with_every_file_of_values

the_chart_renders_what_the_reference_renders_but_for_known_differences() {
	"$manifests_tests/differences.sh"
}
test_case the_chart_renders_what_the_reference_renders_but_for_known_differences

# A value that would be taken for another is refused: YAML's bare off is false.
values_of_the_wrong_kind_are_refused() {
	local set
	for set in drift=false replicas=many keyrenewperiod=30d; do
		fails helm template "$chart" --set "$set"
	done
}
test_case values_of_the_wrong_kind_are_refused

# restricted NAMESPACE...: exist, and take only Pods of that level.
restricted() {
	local name
	for name; do
		jq -n --arg n "$name" '{apiVersion: "v1", kind: "Namespace",
		    metadata: {name: $n, labels:
		    {"pod-security.kubernetes.io/enforce": "restricted"}}}' |
		    kubectl apply -f -
	done
}

# taken FILE: the API server would take every object, as it stands, and, in the
# namespace "seal", every Pod that would be made of it.
taken() {
	local out
	out=$(kubectl apply --dry-run=server --validate=strict -f "$1" -o json)
	has "$out" '"kind"'
	jq -c '(.items // [.])[] | select(.kind | IN("Deployment", "CronJob")) |
	    . as $o | (.spec.jobTemplate.spec.template //
	    .spec.template) | {apiVersion: "v1", kind: "Pod", metadata:
	    (.metadata + {name: "pod", namespace: "seal"}), spec: (.spec |
	    del(.serviceAccount, .serviceAccountName))}' <<<"$out" >"$1.pods"
	[ ! -s "$1.pods" ] || kubectl create --dry-run=server -f "$1.pods"
}

the_api_server_takes_everything_and_its_pods_are_restricted() {
	local file=$RIG/rendered.yaml name
	operator_kinds
	restricted blue green elsewhere monitoring seal sealed-secrets
	within 20 exists serviceaccount -n seal default
	for name in defaults kubeseal-name openshift namespaced weekly ours \
	    without-controller; do
		helm template release "$chart" -n seal --include-crds \
		    -f "$manifests_tests/values/$name.yaml" >"$file"
		taken "$file"
	done
	for name in "$root"/manifests/kustomize/overlays/*; do
		kubectl kustomize "$name" >"$file"
		taken "$file"
	done
	for name in controller controller-norbac; do
		cp "$root/manifests/$name.yaml" "$file"
		taken "$file"
	done
}
test_case the_api_server_takes_everything_and_its_pods_are_restricted

# Host ports, node ports and classes of its values are not for "restricted".
the_api_server_takes_every_value_of_the_reference() {
	local file=$RIG/rendered.yaml name
	operator_kinds
	namespace
	restricted blue green elsewhere monitoring
	for name in everything other; do
		helm template release "$chart" -n "$ns" --include-crds \
		    -f "$manifests_tests/values/$name.yaml" >"$file"
		kubectl apply --dry-run=server --validate=strict -f "$file"
	done
}
test_case the_api_server_takes_every_value_of_the_reference

# release_versions: what the release consists of, in versions.
release_versions() {
	get all,roles,rolebindings,serviceaccounts,configmaps,pdb -n "$1" \
	    -l app.kubernetes.io/managed-by=Helm | jq -cS '[.items[] |
	    [.kind, .metadata.name, .metadata.resourceVersion]] | sort'
}

# What the Pods would have mounted.
release_files() {
	local file dir=$RIG/admin
	mkdir -p "$dir/backups"
	for file in tls.crt tls.key; do
		get secret -n release sealed-secrets-admin-tls |
		    jq -r --arg f "$file" '.data[$f] | @base64d' >"$dir/$file"
	done
	get configmap -n release sealed-secrets-admin-ca |
	    jq -r '.data["ca.crt"]' >"$dir/ca.crt"
	chmod 644 "$dir"/*.*
	kubectl create token -n release sealed-secrets-backup \
	    --audience sealed-secrets-admin >"$dir/token"
}

# The job's own arguments, but for the places of its files.
release_backup() {
	local args dir=$RIG/admin
	mapfile -t args < <(get cronjob -n release sealed-secrets-backup |
	    jq -r '.spec.jobTemplate.spec.template.spec.containers[0].args[]')
	has "${args[*]}" "sealed-secrets-admin.release.svc:8443"
	"$RIG/bin/controller" "${args[@]}" --server "https://$address:8443" \
	    --server-name sealed-secrets-admin.release.svc \
	    --ca-file "$dir/ca.crt" --token-file "$dir/token" \
	    --out-dir "$dir/backups"
	same "$(get secret -n release -l "$key_label" |
	    jq -c '[.items[].metadata.name] | sort')" \
	    "$(kubectl create --dry-run=client -o json \
	    -f "$dir"/backups/* | jq -cs '[.[] | (.items // [.])[] |
	    .metadata.name] | sort')" "keys in the backup"
}

release_install() {
	local release=(sealed-secrets "$chart" -n release -f
	    "$RIG/release.yaml") value before since keys
	cat >"$RIG/release.yaml" <<-EOF
		replicas: 2
		pdb: {create: true}
		rbac: {clusterRoleName: release-unsealer}
		admin: {enabled: true, selfSigned: true}
		backup: {enabled: true}
	EOF
	restricted release
	since=$(audit_line)
	helm install "${release[@]}"
	before=$(release_versions release)
	has "$before" Deployment
	helm upgrade "${release[@]}"
	helm upgrade "${release[@]}"
	same "$before" "$(release_versions release)" "after two upgrades"

	release_files
	instance_start release sealed-secrets release-0 8080 \
	    --admin-tls-cert-file "$RIG/admin/tls.crt" \
	    --admin-tls-key-file "$RIG/admin/tls.key"
	endpoints release sealed-secrets release-0
	kubeseal --fetch-cert --controller-name sealed-secrets \
	    --controller-namespace release >"$RIG/release.pem"
	within 5 published_is release "$RIG/release.pem"
	busy "$ns" 8080
	next_published release release-0
	release_backup
	same "$kept" "$(unused release sealed-secrets "$since")" \
	    "granted and never used"
	instance_kill TERM release release-0
	value=$(data "$ns" busy)
	keys=$(get secret -n release -l "$key_label" | jq '.items | length')

	helm uninstall sealed-secrets -n release
	fails exists deployment -n release sealed-secrets
	fails exists clusterrole release-unsealer
	sleep 2
	exists crd sealedsecrets.bitnami.com
	exists sealedsecret -n "$ns" busy
	data_is "$ns" busy "$value"
	same "$keys" "$(get secret -n release -l "$key_label" |
	    jq '.items | length')" "keys"
}

a_release_installs_upgrades_without_a_change_and_leaves_what_it_made() {
	namespace
	alone release_install
}
test_case a_release_installs_upgrades_without_a_change_and_leaves_what_it_made
