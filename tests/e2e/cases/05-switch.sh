#!/bin/bash
#
# From the reference controller to this one and back, in place: the same Pod,
# service account, flags and objects, as installed by hand and by the
# reference's chart.  First of all: the reference's client is limited to five
# requests a second, and one malformed SealedSecret stops it.
#
# shellcheck disable=SC2154,SC2317,SC2034

# versions_of KIND NAMESPACE: name and version of each, which any write would change.
versions_of() {
	get "$1" -n "$2" "${@:3}" | jq -cS '[.items[].metadata |
	    {(.name): .resourceVersion}] | add'
}

# flags PROGRAM: each flag with its type and its default, by the program's help.
flags() {
	"$1" --help 2>&1 | awk -F '  +' '/^ +--/ {
	    print $2 (match($0, / \(default [^=)]*\)$/) ? substr($0, RSTART) : "")
	    }' | sort
}

every_flag_of_the_reference_is_known_with_its_default() {
	local theirs
	theirs=$(flags reference-controller)
	has "$theirs" '--key-renew-period duration (default 720h0m0s)'
	same "" "$(comm -23 <(echo "$theirs") <(flags "$RIG/bin/controller"))" \
	    "flags that are not ours"
}
test_case every_flag_of_the_reference_is_known_with_its_default

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

# series: every metric of the controller with its type, and every combination of
# labels, but for the version.
series() {
	curl -sSf "http://$address:8081/metrics" |
	    sed -n 's/revision="[^"]*"/revision/
		s/^# TYPE \(sealed_secrets_.*\)/\1/p
		s/^\(sealed_secrets_[^ ]*\) .*/\1/p' | sort
}

# writes SINCE: what the controller has asked the API server to write from that
# line of the audit log on, but for events, its Lease and the ConfigMap with its
# certificate: a list of [verb, what, when].
writes() {
	tail -n "+$1" "$RIG/audit.log" | jq -cnR --arg u \
	    "system:serviceaccount:kube-system:$app" '[inputs | fromjson? |
	    select(.user.username == $u and
	    (.verb | IN("get", "list", "watch") | not)) |
	    [.verb, ([.objectRef | .resource, .subresource // empty] |
	    join("/")), (.requestReceivedTimestamp | capture(
	    "(?<time>.*)(?<fraction>\\.[0-9]+)Z") | (.time + "Z" |
	    fromdate) + (.fraction | "0" + . | tonumber))] |
	    select(.[1] | IN("events", "leases", "configmaps") | not)]'
}

# only_statuses COUNT SINCE: so many were written, about one a second, and nothing
# else was, not even with the same contents.
only_statuses() {
	local writes
	writes=$(writes "$2")
	jq -e --argjson n "$1" 'length == $n and
	    all(.[]; .[1] == "sealedsecrets/status") and
	    (map(.[2]) | max - min > $n - 2)' <<<"$writes" ||
		die "written: $writes"
}

# As manifests/switching.md has it.
remove_our_conditions() {
	kubectl get sealedsecrets -A -o json |
	    jq '.items |= map(select(.status.conditions)
	        | .status.conditions |= map(select(.type == "Synced")))' |
	    kubectl replace --subresource=status -f -
}

# there COMMAND...: the reference has worked so far; the command makes ours run.
there() {
	local sealed since size
	# Its own key, so that it is the reference's keys which are taken over.
	next_key
	three_scopes
	certificate >"$RIG/theirs.pem"
	series >"$RIG/theirs.series"
	has "$(cat "$RIG/theirs.series")" condition_info
	reference_stop

	secrets=$(versions_of secret "$ns")
	keys=$(versions_of secret kube-system -l "$key_label")
	since=$(audit_line)
	size=$(log_size)
	"$@"
	certificate | cmp - "$RIG/theirs.pem"
	within 60 all_ready
	same "" "$(series | comm -23 "$RIG/theirs.series" -)" "series that went"
	same_versions
	sealed=$(versions_of sealedsecret "$ns")
	# Nothing more is written after that.
	unchanged() {
		same "$sealed" "$(versions_of sealedsecret "$ns")" "statuses"
	}
	stays 3 unchanged
	same_versions
	only_statuses "$(get sealedsecret -A | jq '.items | length')" "$since"
	# New work is done as ever.
	secret "$ns" new "foo=$value" | seal | apply
	unsealed "$ns" new "foo=$value"
	lacks "$(log_since "$size")" forbidden
	same 0 "$(controller_stop TERM)" "exit status"
	secrets=$(versions_of secret "$ns")
}

# back COMMAND...: the command makes the reference run again.
back() {
	local name
	"$@"
	remove_our_conditions
	get sealedsecret -n "$ns" | jq -e 'all(.items[];
	    [.status.conditions[].type] == ["Synced"])'
	secret "$ns" newer "foo=$value" | seal | apply
	unsealed "$ns" newer "foo=$value"
	for name in strict namespace-wide cluster-wide new; do
		data_is "$ns" "$name" "$(items "foo=$value")"
	done
	same "$secrets" "$(versions_of secret "$ns" | jq -c 'del(.newer)')" \
	    "versions of the Secrets"
	same "$keys" "$(versions_of secret kube-system -l "$key_label")" \
	    "versions of the keys"
	reference_stop
}

a_switch_from_the_reference_and_back_rewrites_no_secret() {
	local secrets keys
	namespace
	same 0 "$(controller_stop TERM)" "exit status"
	reference_start "${chart_flags[@]}"
	there controller_start "${chart_flags[@]}"
	back reference_start "${chart_flags[@]}"
	kubectl delete namespace "$ns"
	controller_start
}
test_case a_switch_from_the_reference_and_back_rewrites_no_secret

# --- the same by Helm

release=(sealed-secrets -n kube-system)

# What the shipped manifest consists of, but for the CustomResourceDefinition.
shipped() {
	kubectl create --dry-run=client -o json -f "$MANIFEST" |
	    jq 'select(.kind != "CustomResourceDefinition")'
}

# The release's Pod, made anew as a Deployment would, with the program that its
# image names.
release_runs() {
	kubectl delete pod -n kube-system "$app-0" --force --grace-period 0 \
	    --ignore-not-found
	cluster_pod
	case $(container .image) in
	*/bitnami/*) reference_start ;;
	*) controller_start ;;
	esac
}

helm_and_run() {
	helm "$@"
	release_runs
}

# In place of the shipped manifest: the reference's chart, by the name at which
# kubeseal looks for it, with its definition of the custom resource.
reference_installed() {
	same 0 "$(controller_stop TERM)" "exit status"
	shipped | kubectl delete -f -
	kubectl apply -f "$(share sealed-secrets)/crds"
	helm_and_run install "${release[@]}" "$(share sealed-secrets)" \
	    --set fullnameOverride="$app"
	same "-- ${chart_flags[*]}" "$(controller_args | xargs)" \
	    "flags of the reference's chart"
}

# Also after a case that failed half-way.
shipped_again() {
	controller_ended || kill -KILL "$(pid controller)"
	within 15 controller_ended
	helm uninstall "${release[@]}"
	kubectl apply -f "$MANIFEST"
	kubectl delete pod -n kube-system "$app-0" --force --grace-period 0
	cluster_pod
}

# by_helm CHART OPTION...: from the reference's release to one of CHART.
by_helm() {
	local secrets keys
	namespace
	trap shipped_again EXIT
	reference_installed
	there helm_and_run upgrade "${release[@]}" "$@"
	back helm_and_run rollback "${release[@]}" 1
	kubectl delete namespace "$ns"
}

by_helm_done() {
	trap - EXIT
	shipped_again
	controller_start
}

a_switch_of_the_image_in_the_reference_chart_and_back() {
	by_helm "$(share sealed-secrets)" --reuse-values \
	    --set image.registry=registry.example \
	    --set image.repository=sealed-secrets-controller \
	    --set image.tag=v0.1.0
	by_helm_done
}
test_case a_switch_of_the_image_in_the_reference_chart_and_back

a_switch_from_the_reference_chart_to_ours_and_back() {
	local ours=$root/manifests/helm/sealed-secrets theirs
	by_helm "$ours" --reset-then-reuse-values
	# The other way back, by the reference's chart, comes to the same.
	theirs=$(helm get manifest "${release[@]}")
	fails helm upgrade "${release[@]}" "$ours" --reuse-values
	helm upgrade "${release[@]}" "$ours" --reset-then-reuse-values
	helm upgrade "${release[@]}" "$(share sealed-secrets)" \
	    --reset-then-reuse-values
	same "$theirs" "$(helm get manifest "${release[@]}")" "manifest"
	by_helm_done
}
test_case a_switch_from_the_reference_chart_to_ours_and_back
