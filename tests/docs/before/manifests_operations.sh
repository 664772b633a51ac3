#!/bin/bash
#
# Another cluster, of which only its key is left, and a person who types slower
# than a second, in which times are counted.
# shellcheck disable=SC2154,SC2218,SC2317
kubectl create secret tls -n kube-system sealed-secrets-keyold00 -o yaml \
    --dry-run=client --cert "$root/tests/vectors/keys/other2048.crt.pem" \
    --key "$root/tests/vectors/keys/other2048.pkcs1.pem" |
    kubectl label -f - --local -o yaml \
        sealedsecrets.bitnami.com/sealed-secrets-key=active >"$RIG/old.yaml"
eval "$(declare -f kubectl | sed '1s/kubectl/kubectl_here/')"

kubectl() {
	case "$*" in
	'--context old get secret '*) cat "$RIG/old.yaml" ;;
	*) kubectl_here "$@" ;;
	esac
}

date() {
	sleep 1.1
	command date "$@"
}
