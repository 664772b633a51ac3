#!/bin/bash
#
# Runs the backup's Pod as a kubelet would: its volumes mounted, nothing else
# below /run and /etc, an unprivileged user without capabilities, no
# environment.  Its disk is at /mnt/disk, for want of a /backups on this
# machine.  Must be called in a mount namespace of its own.
#
#	job.sh DIR [WORD...]
set -euo pipefail

dir=$1
shift

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sealed-secrets
mount --bind "$dir/mounts/var/run/sealed-secrets" /run/sealed-secrets
mount --bind "$dir/mounts/etc" /etc
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/disk
mount --bind "$dir/disk" /mnt/disk
cd /
exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all \
    env -i "$dir/bin/controller" "${@/=\/backups/=/mnt/disk}"
