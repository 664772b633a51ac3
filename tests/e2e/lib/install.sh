#!/bin/bash
#
# Other installations than the one that the run starts with: whatever has been
# applied to a namespace is run as its Deployment says, one process for each
# pod, while the run's own controller stands still.
#
# $here, $root, $app, $address and $port come from the other files:
# shellcheck disable=SC2154,SC2317

# overlay NAME: what kubectl takes for the kustomize overlay of that name.
overlay() {
	echo "$root/manifests/kustomize/overlays/$1"
}

# overlay_in NS NAME: the same for another namespace, as a user would write it.
overlay_in() {
	local dir=$RIG/overlays/$1
	mkdir -p "$dir"
	printf 'namespace: %s\nresources: ["%s"]\n' "$1" \
	    "$(realpath --relative-to="$dir" "$(overlay "$2")")" \
	    >"$dir/kustomization.yaml"
	echo "$dir"
}

# The kinds of the Prometheus operator that we have objects of, by its own
# definitions.
operator_kinds() {
	local dir kind
	dir=$(share prometheus-operator-crd)
	for kind in servicemonitors podmonitors prometheusrules; do
		kubectl apply --server-side \
		    -f "$dir/monitoring.coreos.com_$kind.yaml"
		kubectl wait --for=condition=Established --timeout=30s \
		    "crd/$kind.monitoring.coreos.com"
	done
}

# kubelet_logs NS POD: a node whose kubelet gives the log of that Pod's
# container, as long as the case runs.
kubelet_logs() {
	local dir=$RIG/kubelet name
	name=$(kubectl get pod -n "$1" "$2" \
	    -o jsonpath='{.spec.containers[0].name}')
	mkdir -p "$dir/containerLogs/$1/$2"
	ln -sfn "$RIG/instances/$1/$2/controller.log" \
	    "$dir/containerLogs/$1/$2/$name"
	echo '{"apiVersion": "v1", "kind": "Node", "metadata": {"name":
	    "node-0"}}' | kubectl apply -f -
	kubectl patch node node-0 --subresource=status -p "$(jq -n \
	    --arg ip "$address" '{status: {addresses: [{type: "InternalIP",
	    address: $ip}], daemonEndpoints: {kubeletEndpoint:
	    {Port: 10250}}}}')"
	(
		cd "$dir" || exit
		daemon kubelet openssl s_server -quiet -WWW -accept 10250 \
		    -cert "$RIG/pki/server.crt" -key "$RIG/pki/server.key"
	)
}

# instance_account DIR NS DEPLOYMENT POD: as a kubelet puts it into the Pod.
instance_account() {
	local sa
	sa=$(kubectl get -n "$2" deployment "$3" \
	    -o jsonpath='{.spec.template.spec.serviceAccountName}')
	mount_account "$1" "$2" "${sa:-default}" "$4"
}

instance_run() {
	local dir=$1 pod=$2 rc=0
	shift 2
	# shellcheck disable=SC2016
	unshare --mount --uts bash -c 'echo "$1" >/proc/sys/kernel/hostname
	    shift; exec bash "$@"' pod "$pod" "$here/lib/pod.sh" "$dir" \
	    "$address" "$port" "$@" || rc=$?
	echo "$rc" >"$dir/controller.exit"
}

# instance_start NS DEPLOYMENT POD PORT [FLAG...]: the Pod's container, whose
# HTTP port is PORT and whose metrics are on the next; waits until it is ready.
instance_start() {
	local ns=$1 deployment=$2 pod=$3 http=$4 dir=$RIG/instances/$1/$3 args
	shift 4
	mkdir -p "$dir"
	ln -sfn "$RIG/bin" "$dir/bin"
	pod_runs "$ns" "$deployment" "$pod"
	instance_account "$dir" "$ns" "$deployment" "$pod"
	mapfile -t args < <(get deployment -n "$ns" "$deployment" | pod_args)
	rm -f "$dir/controller.exit" "$dir/controller.pid"
	instance_run "$dir" "$pod" "${args[@]}" --listen-addr ":$http" \
	    --listen-metrics-addr ":$((http + 1))" "$@" \
	    >>"$dir/controller.log" 2>&1 3>&- 9>&- &
	within 60 instance_answers "$dir" "$http"
}

instance_answers() {
	[ ! -e "$1/controller.exit" ] ||
		die "it ended: $(tail -n 5 "$1/controller.log")"
	curl -sSf --max-time 5 "http://$address:$2/readyz"
}

# instance_kill SIGNAL NS POD
instance_kill() {
	local dir=$RIG/instances/$2/$3
	kill -"$1" "$(cat "$dir/controller.pid")"
	within 15 test -e "$dir/controller.exit"
}

# What a failed case has left running would disturb the next.
instances_end() {
	local dir
	for dir in "$RIG"/instances/*/*/; do
		[ ! -s "$dir/controller.pid" ] ||
			[ -e "$dir/controller.exit" ] ||
			kill -KILL "$(cat "$dir/controller.pid")" || true
	done
	[ ! -e "$RIG/kubelet.pid" ] || dead kubelet ||
		kill -TERM "$(pid kubelet)"
}

# alone COMMAND...: runs it while the run's own controller stands still.
alone() {
	controller_ended || controller_stop
	trap instances_end EXIT
	"$@"
	instances_end
	trap - EXIT
	controller_start
}

# busy NS PORT: the life of some SealedSecrets in the namespace, so that the
# controller that answers at PORT does all that it can be asked to do.
busy() {
	local ns=$1 cert=$RIG/busy.pem value
	curl -sSf "http://$address:$2/v1/cert.pem" >"$cert"
	value=$(plain)
	secret "$ns" busy "foo=$value" | seal --cert "$cert" | apply
	unsealed "$ns" busy "foo=$value"
	value=$(plain)
	secret "$ns" busy "foo=$value" | seal --cert "$cert" | apply
	unsealed "$ns" busy "foo=$value"
	kubectl delete secret -n "$ns" busy
	unsealed "$ns" busy "foo=$value"
	kubectl patch secret -n "$ns" busy --type merge \
	    -p '{"data":{"foo":"d3Jvbmc="}}'
	within 20 data_is "$ns" busy "$(items "foo=$value")"
	secret "$ns" broken "foo=$value" | seal --cert "$cert" |
	    jq '.spec.encryptedData.foo = "AAAA"' | apply
	within 20 synced "$ns" broken False
	repeated() {
		get events -n "$ns" | jq -e \
		    'any(.items[]; .source.component == "sealed-secrets" and
		    .count > 1)'
	}
	within 30 repeated
}

# next_published NS POD: another key, whose certificate comes into the ConfigMap.
next_published() {
	published "$1" >"$RIG/published.pem"
	kill -USR1 "$(cat "$RIG/instances/$1/$2/controller.pid")"
	within 60 fails published_is "$1" "$RIG/published.pem"
}
