#!/bin/bash
#
# A second installation, as the handbook has it, and a person who types a
# passphrase.
# shellcheck disable=SC2154,SC2317
kubectl apply -k "$root/manifests/kustomize/overlays/handbook"
kubectl rollout status -n sealed-secrets deploy/sealed-secrets-controller \
    --timeout 60s
# Both use one name for what binds their account.
kubectl patch clusterrolebinding sealed-secrets-controller --type json -p \
    '[{"op": "add", "path": "/subjects/-", "value": {"kind": "ServiceAccount",
    "name": "sealed-secrets-controller", "namespace": "kube-system"}}]'

openssl() {
	case "$*" in
	'req '*'-keyout backup.key'*)
		command openssl "$@" -passout pass:correct-horse
		;;
	'cms -decrypt '*) command openssl "$@" -passin pass:correct-horse ;;
	*) command openssl "$@" ;;
	esac
}

kubectl create namespace app-team
kubectl create secret generic -n app-team db --dry-run=client -o yaml \
    --from-literal=password=hunter2 | kubeseal -o yaml | kubectl apply -f -
