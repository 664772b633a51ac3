# Another cluster, whose keys are the same here.
kubectl config set-context old --cluster e2e --user admin
