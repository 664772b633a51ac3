#!/bin/bash
#
# The reference controller, installed with the flags of its chart.
# shellcheck disable=SC2154,SC2317
kubectl patch deployment -n kube-system sealed-secrets-controller --type json \
    -p '[{"op": "replace",
    "path": "/spec/template/spec/containers/0/image",
    "value": "docker.io/bitnami/sealed-secrets-controller:0.40.0"},
    {"op": "replace", "value": "/healthz", "path":
    "/spec/template/spec/containers/0/readinessProbe/httpGet/path"},
    {"op": "replace", "path": "/spec/template/spec/containers/0/args",
    "value": ["--update-status", "--key-prefix", "sealed-secrets-key"]}]'
kubectl rollout status -n kube-system deployment/sealed-secrets-controller \
    --timeout 60s
kubectl create namespace app-team
kubectl create secret generic -n app-team db --dry-run=client -o yaml \
    --from-literal=password=hunter2 | kubeseal -o yaml | kubectl apply -f -
kubectl wait --for=condition=Synced -n app-team sealedsecret/db --timeout 30s

# What comes by Helm is about another cluster: there the reference's chart is in
# the place of the manifest. It stands where a repository of that name would be.
helm() {
	[ -e sealed-secrets ] || reference_installed >"$RIG/helm.log" 2>&1 ||
		return
	command helm "$@"
}

reference_installed() {
	kubectl get -f "$root/manifests/controller.yaml" -o name |
	    grep -v customresourcedefinition |
	    xargs kubectl delete -n kube-system
	mkdir sealed-secrets
	cp -r "$(share sealed-secrets)" sealed-secrets/
	command helm install sealed-secrets sealed-secrets/sealed-secrets \
	    -n kube-system --set fullnameOverride=sealed-secrets-controller
	kubectl rollout status -n kube-system \
	    deployment/sealed-secrets-controller --timeout 60s
}
