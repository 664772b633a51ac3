#!/bin/bash
#
# The controller under test, run as the Pod of the shipped Deployment.
#
# $here comes from run.sh, $app, $address and $port from the other files:
# shellcheck disable=SC2154,SC2034

app=sealed-secrets-controller
cert_configmap=sealed-secrets-cert
key_label=sealedsecrets.bitnami.com/sealed-secrets-key

# mount_account DIR NS ACCOUNT POD: DIR/serviceaccount as a kubelet makes it; the
# token is bound to the service account and the Pod.
mount_account() {
	local dir=$1/serviceaccount
	mkdir -p "$dir"
	cp "$RIG/pki/ca.crt" "$dir/ca.crt"
	printf %s "$2" >"$dir/namespace"
	kubectl create token -n "$2" "$3" --duration 1h \
	    --bound-object-kind Pod --bound-object-name "$4" >"$dir/token.new"
	chmod 644 "$dir"/*
	mv "$dir/token.new" "$dir/token"
}

controller_account() {
	mount_account "$RIG" kube-system "$app" "$app-0"
}

# container FILTER: something of the shipped Deployment's container.
container() {
	kubectl get -n kube-system deployment "$app" -o json |
	    jq -r ".spec.template.spec.containers[0] | $1"
}

# pod_args: a Deployment on stdin; its container's own environment and
# arguments, one a line, as lib/pod.sh takes them.
pod_args() {
	jq -r '.spec.template.spec.containers[0] |
	    (.env // [] | .[] | select(.value) | "\(.name)=\(.value)"), "--",
	    ((.command // [])[1:] + (.args // []) | .[])'
}

controller_args() {
	get deployment -n kube-system "$app" | pod_args
}

controller_run() {
	local rc=0
	unshare --mount bash "$here/lib/pod.sh" "$RIG" "$address" "$port" \
	    "${args[@]}" || rc=$?
	echo "$rc" >"$RIG/controller.exit"
}

# controller_prepare [FLAG...]: everything but the start; sets $args, $probe.
controller_prepare() {
	controller_account
	probe=$(container '.readinessProbe.httpGet.path // "/readyz"')
	mapfile -t args < <(controller_args)
	args+=("$@")
	rm -f "$RIG/controller.pid" "$RIG/controller.exit"
}

controller_launch() {
	controller_run >>"$RIG/controller.log" 2>&1 3>&- 9>&- &
}

# controller_start [FLAG...]: starts it and waits until it is ready.
controller_start() {
	local args probe
	controller_prepare "$@"
	controller_launch
	within 60 controller_answers "$probe"
}

controller_answers() {
	[ ! -e "$RIG/controller.exit" ] || die "it ended"
	curl -sSf --max-time 5 "http://$address:8080$1"
}

controller_ended() {
	[ -e "$RIG/controller.exit" ]
}

# controller_stop [SIGNAL]: prints the exit status.
controller_stop() {
	kill -"${1:-TERM}" "$(pid controller)"
	within 15 controller_ended
	cat "$RIG/controller.exit"
}

controller_running() {
	! controller_ended && ! dead controller
}

certificate() {
	curl -sSf --max-time 5 "http://$address:8080/v1/cert.pem"
}

# published NS: the certificate in the ConfigMap, as a user reads it who has no
# binding of his own.
published() {
	kubectl get configmap "$cert_configmap" -n "$1" --as sealer \
	    -o jsonpath='{.data.cert\.pem}'
}

# published_is NS FILE
published_is() {
	published "$1" | cmp - "$2"
}

published_is_served() {
	certificate >"$RIG/served.pem"
	published_is kube-system "$RIG/served.pem"
}

certificate_same() {
	certificate | cmp -s - "$RIG/before.pem"
}

certificate_changed() {
	! certificate_same
}

# next_key: makes another sealing key; the certificate before it is in
# $RIG/before.pem.
next_key() {
	certificate >"$RIG/before.pem"
	kill -USR1 "$(pid controller)"
	within 60 certificate_changed
}

keys() {
	get secret -n kube-system -l "$key_label=active"
}

key_count() {
	keys | jq '.items | length'
}

# The flags that the reference's chart gives it.
chart_flags=(--update-status --key-prefix sealed-secrets-key
	--listen-addr :8080 --listen-metrics-addr :8081)

# reference_start [FLAG...]: the reference's program in the place of ours, with
# these flags or those of the Deployment; waits until it serves a certificate.
reference_start() {
	local args probe
	cp "$(command -v reference-controller)" "$RIG/bin/"
	controller_prepare
	[ $# = 0 ] || args=(-- "$@")
	: >"$RIG/reference"
	POD_PROGRAM=reference-controller controller_launch
	within 60 controller_answers /healthz
	within 60 certificate
}

# The reference ends without a sign; only that it ended matters.
reference_stop() {
	kill -TERM "$(pid controller)"
	within 30 controller_ended
	rm "$RIG/reference"
}
