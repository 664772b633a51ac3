#!/bin/bash
#
# The reference controller, installed with the flags of its chart.
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
