#!/bin/bash
#
# A node, as far as the commands of the documentation can tell: each Deployment
# of the controller runs as it says, and again when its template changes; its
# Pods, status and the Endpoints of its Services say so; Jobs run once. So
# kubectl waits and restarts as it would, and only logs and port-forward, which
# need a kubelet, are done by hand (document.sh).
#
# $here, $address and $port come from the files of tests/e2e/lib:
# shellcheck disable=SC2154

# Pods share one network here: each has a slot, and its ports are higher by ten
# for each slot.
slots=4

slot_of() { # dir
	local i
	if [ ! -e "$1/slot" ]; then
		for ((i = 0; i < slots; i++)); do
			mkdir "$RIG/slot$i" 2>/dev/null && break
		done
		echo "$i" >"$1/slot"
	fi
	cat "$1/slot"
}

slot_free() { # dir
	rmdir "$RIG/slot$(cat "$1/slot")"
	rm -f "$1/slot"
}

# wanted: NS DEPLOYMENT GENERATION REPLICAS TEMPLATE-HASH of every Deployment.
wanted() {
	kubectl get deployments -A -o json | jq -r '.items[] |
	    [.metadata.namespace, .metadata.name, .metadata.generation,
	    .spec.replicas, (.spec.template | tojson | @base64)] | join(" ")' |
	    while read -r ns name generation replicas template; do
		echo "$ns $name $generation $replicas $(
		    sha256sum <<<"$template" | cut -c1-16)"
	done
}

# What stands behind each Service of the namespace that selects the Pod.
services_lead_to() { # ns pod slot
	local ns=$1 service
	kubectl get pod -n "$1" "$2" -o json >"$RIG/pod.json"
	for service in $(kubectl get services -n "$1" -o json |
	    jq -r --slurpfile pod "$RIG/pod.json" '.items[] |
	    select(.spec.selector != null and (.spec.selector | to_entries |
	    all($pod[0].metadata.labels[.key] == .value))) |
	    .metadata.name'); do
		kubectl get service -n "$ns" "$service" -o json |
		    jq --slurpfile pod "$RIG/pod.json" --arg ip "$address" \
		    --argjson slot "$3" '.metadata as $m |
		    $pod[0] as $pod | ($pod.spec.containers[0].ports // []) as
		    $ports | {apiVersion: "v1", kind: "Endpoints", metadata:
		    {name: $m.name, namespace: $m.namespace}, subsets:
		    [{addresses: [{$ip, targetRef: {kind: "Pod", name:
		    $pod.metadata.name, namespace: $m.namespace}}], ports:
		    [.spec.ports[] | (.targetPort // .port) as $t |
		    (($t | numbers) // ($ports[] | select(.name == $t) |
		    .containerPort)) as $n | {port: (if $n >= 8080 and
		    $n <= 8081 then $n + 10 * $slot else $n end)} +
		    (if .name then {name} else {} end)]}]}' |
		    kubectl apply -f -
	done
}

# What a Pod runs when its image is the reference's.
program_of() { # image
	case $1 in
	*bitnami*) command -v reference-controller ;;
	esac
}

pod_ready() { # dir path port
	[ ! -e "$1/controller.exit" ] ||
		die "it ended: $(tail -n 5 "$1/controller.log")"
	curl -sSf --max-time 5 "http://$address:$3$2"
}

pod_start() { # ns deployment pod
	local dir=$RIG/instances/$1/$3 slot args program
	mkdir -p "$dir/bin"
	slot=$(slot_of "$dir")
	kubectl delete pod -n "$1" "$3" --force --grace-period=0 \
	    --ignore-not-found 2>/dev/null
	pod_runs "$@"
	instance_account "$dir" "$@"
	kubectl get deployment -n "$1" "$2" -o json >"$dir/deployment.json"
	program=$(program_of "$(jq -r \
	    '.spec.template.spec.containers[0].image' "$dir/deployment.json")")
	cp "${program:-$CONTROLLER}" "$dir/bin/controller"
	rm -rf "$dir/mounts"
	jq -e '[.spec.template.spec.containers[0].volumeMounts[]? |
	    select(.mountPath | startswith("/etc"))] | length == 0' \
	    "$dir/deployment.json" ||
		jq .spec.template "$dir/deployment.json" | volumes "$dir"
	mapfile -t args < <(pod_args <"$dir/deployment.json")
	# Where tests/e2e/README.md looks for them.
	[ "$slot" != 0 ] ||
		ln -sfn "$dir/controller.pid" "$dir/controller.log" "$RIG/"
	[ "$slot" = 0 ] ||
		args+=(--listen-addr ":$((8080 + 10 * slot))"
		    --listen-metrics-addr ":$((8081 + 10 * slot))")
	rm -f "$dir/controller.exit" "$dir/controller.pid"
	instance_run "$dir" "$3" "${args[@]}" >"$dir/controller.log" 2>&1 &
	within 60 pod_ready "$dir" "$(jq -r \
	    '.spec.template.spec.containers[0].readinessProbe.httpGet.path' \
	    "$dir/deployment.json")" $((8080 + 10 * slot))
	# One Pod behind a Service is enough for what is asked of it.
	[[ $3 != *-0 ]] || services_lead_to "$1" "$3" "$slot"
}

pod_end() { # ns pod
	local dir=$RIG/instances/$1/$2
	[ -e "$dir/controller.exit" ] ||
		kill -TERM "$(cat "$dir/controller.pid")"
	within 20 test -e "$dir/controller.exit"
	slot_free "$dir"
	rm -f "$dir/template"
	kubectl delete pod -n "$1" "$2" --force --grace-period=0 \
	    --ignore-not-found 2>/dev/null
}

deployment_ready() { # ns deployment generation replicas
	kubectl patch deployment -n "$1" "$2" --subresource=status -p "$(
	    jq -n --argjson g "$3" --argjson n "$4" '{status:
	    {observedGeneration: $g, replicas: $n, updatedReplicas: $n,
	    readyReplicas: $n, availableReplicas: $n}}')"
}

deployments_run() {
	local ns name generation replicas template pod i
	wanted >"$RIG/wanted"
	for pod in "$RIG"/instances/*/*/template; do
		[ -e "$pod" ] || continue
		pod=$(dirname "$pod")
		ns=$(basename "$(dirname "$pod")")
		awk -v ns="$ns" -v pod="$(basename "$pod")" \
		    -v t="$(cat "$pod/template")" '$1 == ns && $5 == t {
		    for (i = 0; i < $4; i++) if (pod == $2 "-" i) found = 1 }
		    END { exit !found }' "$RIG/wanted" ||
			pod_end "$ns" "$(basename "$pod")"
	done
	while read -r ns name generation replicas template; do
		for ((i = 0; i < replicas; i++)); do
			pod=$RIG/instances/$ns/$name-$i
			[ ! -e "$pod/template" ] || continue
			pod_start "$ns" "$name" "$name-$i"
			echo "$template" >"$pod/template"
		done
		[ "$(cat "$RIG/instances/$ns/$name.seen" 2>/dev/null)" = \
		    "$generation" ] || {
			deployment_ready "$ns" "$name" "$generation" "$replicas"
			echo "$generation" >"$RIG/instances/$ns/$name.seen"
		}
	done <"$RIG/wanted"
}

jobs_run() {
	local job
	for job in $(kubectl get jobs -n kube-system -o name); do
		job=$(basename "$job")
		[ ! -e "$RIG/jobs/$job" ] || continue
		mkdir -p "$RIG/jobs/$job"
		cronjob_runs "$RIG/jobs/$job" >"$RIG/jobs/$job/log" 2>&1
		echo $? >"$RIG/jobs/$job/exit"
	done
}

# node: runs what there is, for ever; $RIG/node.log tells what went wrong.
node() {
	while :; do
		(
			set -e
			deployments_run
			jobs_run
		) || echo "node: an attempt failed; again"
		sleep 0.3
	done
}
