#!/usr/bin/env bash
# Tries the image: what is in it, and the program inside it against
# tests/apiserver, as a pod under "restricted" would run: another user, nothing
# writable, no capabilities, 64 MB. Needs podman or docker.
# Environment: IMAGE, OUT.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

: "${IMAGE:=sealed-secrets-controller:dev}"
: "${BUILD:=build}"
: "${OUT:=$BUILD/release}"
doc=usr/share/doc/sealed-secrets-controller
dir=$(mktemp -d)
api_pid='' name=sealed-secrets-image-test-$$
passed=0 failed=0

if command -v podman >/dev/null; then
	# Without a whole cgroup v2 tree only runc runs.
	run=(podman --runtime runc)
	reach=(--ulimit nofile=4096:4096 --ulimit nproc=1000:1000)
elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then
	run=(docker)
	reach=()
else
	echo "skipped: neither podman nor a docker daemon is there to run the image"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi

cleanup() {
	"${run[@]}" rm -f "$name" "$name-files" >/dev/null 2>&1
	[ -n "$api_pid" ] && kill "$api_pid" 2>/dev/null && wait "$api_pid" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

check() { # what, command...
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok      $what${out:+: $out}"
	else
		failed=$((failed + 1))
		echo "FAIL    $what"
		printf '%s\n' "$out" | sed 's/^/        /'
	fi
}

wait_for() { # command...
	local end=$((SECONDS + 20))
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			"$@"
			"${run[@]}" logs "$name" 2>&1 | tail -n 20
			return 1
		fi
		sleep 0.1
	done
}

# ---- what is in it ----

unpack() {
	"${run[@]}" create --name "$name-files" "$IMAGE" >/dev/null &&
		"${run[@]}" export "$name-files" >"$dir/image.tar" &&
		mkdir "$dir/fs" && tar -C "$dir/fs" -xf "$dir/image.tar"
}

# Empty files are where docker puts what it mounts, as etc/hosts.
no_shell_and_no_package_manager() {
	local found
	found=$(cd "$dir/fs" && find . -perm /111 -type f -size +0 \
		! -name '*.so*' ! -name controller)
	[ -z "$found" ] || { echo "$found"; return 1; }
}

only_the_objects_that_are_needed() {
	local n
	n=$(find "$dir/fs" -type f -name '*.so*' | wc -l)
	echo "$n"
	[ "$n" -lt 60 ]
}

compressed_size() {
	local bytes
	bytes=$(gzip -9 <"$dir/image.tar" | wc -c)
	echo "$((bytes / 1000)) kB"
	[ "$bytes" -lt 15000000 ]
}

# Every object's package is on the list, and the list is for this version.
bill_of_materials() {
	local p
	jq -e '.spdxVersion == "SPDX-2.3" and (.packages | length > 10) and
	    all(.packages[]; .versionInfo != "" and .name != "") and
	    ([.packages[].SPDXID] | length == (unique | length))' \
		"$dir/fs/$doc/sbom.spdx.json" >/dev/null || return 1
	for p in libcurl4t64 libssl3t64 libc6 libjansson4 libmicrohttpd12t64 tzdata; do
		jq -e --arg p "$p" 'any(.packages[]; .name == $p)' \
			"$dir/fs/$doc/sbom.spdx.json" >/dev/null || { echo "no $p"; return 1; }
	done
	for p in "$dir"/fs/usr/share/doc/*/; do
		[ -s "$p/copyright" ] || { echo "no copyright in $p"; return 1; }
	done
}

label() {
	"${run[@]}" inspect --type image --format '{{json .Config}}' "$IMAGE" 2>/dev/null ||
		"${run[@]}" inspect --format '{{json .Config}}' "$IMAGE"
}

labels_user_and_entrypoint() {
	label | jq -e '.User == "65532:65532" and .Entrypoint == ["controller"]
	    and (.Labels["org.opencontainers.image.version"] | length > 0)
	    and .Labels["org.opencontainers.image.licenses"] == "Apache-2.0"' >/dev/null
}

# ---- the program inside it ----

port=$((20000 + RANDOM % 10000))
confined=("${reach[@]}" --network host --read-only --cap-drop all
	--security-opt no-new-privileges --memory 64m)

listening() {
	grep -q 'listening on' "$dir/api.log"
}

start_apiserver() {
	"$OUT/tests/apiserver" --listen 127.0.0.1:0 --namespace demo \
		--write-kubeconfig "$dir/kubeconfig" >"$dir/api.log" 2>&1 &
	api_pid=$!
	wait_for listening
	api=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$dir/api.log")
}

start_controller() { # user
	chmod 755 "$dir"
	chmod 644 "$dir/kubeconfig"
	"${run[@]}" run -d --name "$name" "${confined[@]}" --user "$1" \
		-e POD_NAMESPACE=kube-system \
		-v "$dir/kubeconfig:/kubeconfig:ro" "$IMAGE" \
		--kubeconfig /kubeconfig --listen-addr "127.0.0.1:$port" \
		--listen-metrics-addr 127.0.0.1:0 >/dev/null &&
		wait_for answers /readyz && answers /healthz
}

answers() {
	curl -sSf --max-time 5 "http://127.0.0.1:$port$1"
}

post() {
	curl -sSf -X POST -H 'Content-Type: application/json' --data-binary @- \
		"http://$api$1"
}

secret_is() { # name, value
	curl -sSf "http://$api/api/v1/namespaces/demo/secrets/$1" |
		jq -e --arg v "$2" '.data.KEY | @base64d == $v'
}

unseals() { # name
	answers /v1/cert.pem >"$dir/cert.pem" &&
		"$OUT/tests/seal" "$dir/cert.pem" demo "$1" KEY="value of $1" |
		post /apis/bitnami.com/v1alpha1/namespaces/demo/sealedsecrets >/dev/null &&
		wait_for secret_is "$1" "value of $1"
}

# The template functions need the time zones of the image.
renders_time_zones() {
	answers /v1/cert.pem >"$dir/cert.pem" &&
		"$OUT/tests/seal" "$dir/cert.pem" demo zone KEY=x |
		jq '.spec.template.data.at = "{{ dateInZone \"15:04\" (toDate \"2006-01-02 15:04 MST\" \"2026-01-01 12:00 UTC\") \"Asia/Tokyo\" }}"' |
		post /apis/bitnami.com/v1alpha1/namespaces/demo/sealedsecrets >/dev/null &&
		wait_for zone_is
}

zone_is() {
	local at
	at=$(curl -sSf "http://$api/api/v1/namespaces/demo/secrets/zone" |
		jq -r '.data.at | @base64d')
	[ "$at" = 21:00 ]
}

stops_in_order() {
	local status
	"${run[@]}" stop -t 20 "$name" >/dev/null &&
		status=$("${run[@]}" inspect --format '{{.State.ExitCode}}' "$name") &&
		"${run[@]}" rm -f "$name" >/dev/null && [ "$status" = 0 ]
}

check "it unpacks" unpack
check "no shell, no package manager, one program" no_shell_and_no_package_manager
check "number of shared objects" only_the_objects_that_are_needed
check "compressed size under 15 MB" compressed_size
check "bill of materials and licences" bill_of_materials
check "labels, user and entrypoint" labels_user_and_entrypoint
check "the version is printed" "${run[@]}" run --rm "${confined[@]}" "$IMAGE" --version
start_apiserver || exit 1
check "healthy and ready as user 65532" start_controller 65532:65532
check "a SealedSecret becomes a Secret" unseals one
check "time zones are there for templates" renders_time_zones
check "it ends in order" stops_in_order
check "any other user id" start_controller 1234567:1
check "a SealedSecret becomes a Secret there too" unseals two
check "it ends in order again" stops_in_order

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
