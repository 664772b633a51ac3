#!/bin/bash
#
# Runs the controller as a kubelet would run its container: the service account
# mounted where it belongs and nothing else below /run, an unprivileged user
# without capabilities, and no environment but the image's and a Pod's.  Must be called
# in a mount namespace of its own; becomes the controller.
#
#	pod.sh RIG ADDRESS PORT [NAME=VALUE...] -- [FLAG...]
#
# Environment: POD_PROGRAM, another program in RIG/bin than "controller".
set -euo pipefail

rig=$1 host=$2 port=$3
shift 3
environment=()
while [ "$1" != -- ]; do
	environment+=("$1")
	shift
done
shift

account=/run/secrets/kubernetes.io/serviceaccount
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$account"
mount --bind "$rig/serviceaccount" "$account"
# Volumes of the Pod, where the kubelet would mount them; the image has nothing
# of its own below /etc.
[ ! -d "$rig/mounts/etc" ] || mount --bind "$rig/mounts/etc" /etc

echo $$ >"$rig/controller.pid"
cd /
exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all \
    env -i GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
    KUBERNETES_SERVICE_HOST="$host" KUBERNETES_SERVICE_PORT="$port" \
    "${environment[@]}" "$rig/bin/${POD_PROGRAM:-controller}" "$@"
