#!/bin/bash
#
# Nothing is installed but the definition of the custom resource.
# shellcheck disable=SC2154
kubectl get -f "$root/manifests/controller.yaml" -o name |
    grep -v customresourcedefinition |
    xargs kubectl delete -n kube-system
