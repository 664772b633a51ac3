#!/bin/bash
#
# A small real cluster: etcd, kube-apiserver and those controllers of
# kube-controller-manager without which a Secret's life is not real (garbage
# collector, namespaces, service accounts).  There is no kubelet, no scheduler
# and no node.  Everything lives in this process's own network and process
# namespaces.  State and logs are in $RIG.
#
# $here comes from run.sh, $app, $address and $port from the other files:
# shellcheck disable=SC2154,SC2034

# The API server refuses loopback addresses for Endpoints, hence this one.
address=10.99.0.1
port=6443

cluster_network() {
	ip link set lo up
	ip link add e2e0 type veth peer name e2e1
	ip addr add "$address/24" dev e2e0
	ip link set e2e0 up
	ip link set e2e1 up
	ip route add default dev e2e0
}

# leaf NAME SUBJECT [EXTENSION]: key and certificate signed by the test CA.
leaf() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$1.key" -out "$1.csr" -subj "$2"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key \
	    -CAcreateserial -days 2 -out "$1.crt" \
	    -extfile <(echo "${3:-extendedKeyUsage = clientAuth}")
}

cluster_pki() (
	mkdir -p "$RIG/pki"
	cd "$RIG/pki" || exit
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout ca.key -out ca.crt -days 2 -subj /CN=e2e-ca \
	    -addext "keyUsage = critical, keyCertSign, cRLSign, digitalSignature"
	leaf server /CN=kube-apiserver \
	    "subjectAltName = IP:$address, DNS:kubernetes.default.svc"
	leaf admin "/O=system:masters/CN=admin"
	leaf manager "/CN=system:kube-controller-manager"
	leaf proxy "/CN=front-proxy"
	openssl genrsa -out sa.key 2048
	openssl rsa -in sa.key -pubout -out sa.pub
)

# kubeconfig FILE CERTIFICATE
kubeconfig() {
	local k=(kubectl config "--kubeconfig=$1")
	"${k[@]}" set-cluster e2e --server "https://$address:$port" \
	    --embed-certs --certificate-authority "$RIG/pki/ca.crt"
	"${k[@]}" set-credentials "$2" --embed-certs \
	    --client-certificate "$RIG/pki/$2.crt" \
	    --client-key "$RIG/pki/$2.key"
	"${k[@]}" set-context e2e --cluster e2e --user "$2"
	"${k[@]}" use-context e2e
}

# daemon NAME COMMAND...: starts it, log and process id in $RIG.
daemon() {
	local name=$1
	shift
	"$@" >>"$RIG/$name.log" 2>&1 3>&- 9>&- &
	echo $! >"$RIG/$name.pid"
}

pid() {
	cat "$RIG/$1.pid"
}

dead() {
	! kill -0 "$(pid "$1")" 2>/dev/null
}

etcd_start() {
	daemon etcd etcd --name e2e --data-dir "$RIG/etcd" --unsafe-no-fsync \
	    --listen-client-urls http://127.0.0.1:2379 \
	    --advertise-client-urls http://127.0.0.1:2379 \
	    --listen-peer-urls http://127.0.0.1:2380 \
	    --initial-advertise-peer-urls http://127.0.0.1:2380 \
	    --initial-cluster e2e=http://127.0.0.1:2380 --log-level warn
}

# With the admission plugin that OpenShift has: who sets an owner on an object
# must be allowed to delete it.
apiserver_start() {
	local pki=$RIG/pki
	audit_policy >"$RIG/audit-policy.yaml"
	daemon apiserver kube-apiserver --bind-address "$address" \
	    --advertise-address "$address" --secure-port "$port" \
	    --etcd-servers http://127.0.0.1:2379 \
	    --service-cluster-ip-range 10.98.0.0/16 \
	    --authorization-mode RBAC --client-ca-file "$pki/ca.crt" \
	    --enable-admission-plugins OwnerReferencesPermissionEnforcement \
	    --audit-policy-file "$RIG/audit-policy.yaml" \
	    --audit-log-path "$RIG/audit.log" --audit-log-maxsize 2000 \
	    --tls-cert-file "$pki/server.crt" \
	    --tls-private-key-file "$pki/server.key" \
	    --service-account-issuer https://kubernetes.default.svc \
	    --service-account-key-file "$pki/sa.pub" \
	    --service-account-signing-key-file "$pki/sa.key" \
	    --requestheader-client-ca-file "$pki/ca.crt" \
	    --requestheader-allowed-names front-proxy \
	    --requestheader-username-headers X-Remote-User \
	    --requestheader-group-headers X-Remote-Group \
	    --requestheader-extra-headers-prefix X-Remote-Extra- \
	    --proxy-client-cert-file "$pki/proxy.crt" \
	    --proxy-client-key-file "$pki/proxy.key" \
	    --profiling=false
}

apiserver_ready() {
	curl -sSf --max-time 5 --cacert "$RIG/pki/ca.crt" \
	    "https://$address:$port/readyz"
}

apiserver_wait() {
	within 60 apiserver_ready
}

apiserver_kill() {
	kill -KILL "$(pid apiserver)"
	within 10 dead apiserver
}

manager_start() {
	daemon manager kube-controller-manager \
	    --kubeconfig "$RIG/manager.kubeconfig" --leader-elect=false \
	    --use-service-account-credentials \
	    --bind-address 127.0.0.1 --root-ca-file "$RIG/pki/ca.crt" \
	    --service-account-private-key-file "$RIG/pki/sa.key" \
	    --controllers "garbage-collector-controller,namespace-controller,$(
	    )serviceaccount-controller,serviceaccount-token-controller"
}

# The shipped manifest, whole.  The controllers start after it, so that the
# garbage collector knows SealedSecrets from the start and not only when it
# next looks for new resources.
cluster_manifests() {
	kubectl apply -f "$MANIFEST"
	kubectl wait --for=condition=Established --timeout=30s \
	    crd/sealedsecrets.bitnami.com
	manager_start
}

# pod_of NS DEPLOYMENT NAME: the Pod that would be made of the Deployment.
pod_of() {
	kubectl get -n "$1" -o json deployment "$2" | jq --arg n "$3" '
	    {apiVersion: "v1", kind: "Pod", metadata:
	    (.spec.template.metadata + {name: $n,
	    namespace: .metadata.namespace}),
	    spec: (.spec.template.spec + {nodeName: "node-0"})}'
}

# pod_runs NS DEPLOYMENT NAME: makes that Pod, and says that it runs.
pod_runs() {
	pod_of "$@" | kubectl apply -f -
	kubectl patch -n "$1" pod "$3" --subresource=status -p "$(
	    jq -n --arg ip "$address" '{status: {phase: "Running", podIP: $ip,
	    podIPs: [{$ip}]}}')"
}

# endpoints NS SERVICE POD: the Pod stands behind the Service.
endpoints() {
	kubectl get -n "$1" -o json service "$2" | jq --arg pod "$3" \
	    --arg ip "$address" '.metadata as $m | {apiVersion: "v1",
	    kind: "Endpoints", metadata: {name: $m.name,
	    namespace: $m.namespace}, subsets: [{addresses: [{$ip,
	    targetRef: {kind: "Pod", name: $pod, namespace: $m.namespace}}],
	    ports: [.spec.ports[] | {port: (.targetPort | numbers // 8080)} +
	    (if .name then {name} else {} end)]}]}' | kubectl apply -f -
}

# What a scheduler, a kubelet and the endpoints controller would do: the Pod
# of the shipped Deployment exists, runs, and stands behind its Service.
cluster_pod() {
	pod_runs kube-system "$app" "$app-0"
	endpoints kube-system "$app" "$app-0"
}

# What makes an empty API server this cluster.
cluster_fill() {
	etcd_start
	apiserver_start
	apiserver_wait
	within 20 exists namespace kube-system
	cluster_manifests
	cluster_pod
}

cluster_start() {
	cluster_network
	cluster_pki
	kubeconfig "$RIG/admin.kubeconfig" admin
	kubeconfig "$RIG/manager.kubeconfig" manager
	cluster_fill
}

# The disaster: everything dies at once, all that the API server has stored is
# gone. Then a new cluster in its place, with a controller but no keys.
cluster_lose() {
	local p
	controller_ended || kill -KILL "$(pid controller)"
	for p in apiserver manager etcd; do
		kill -KILL "$(pid $p)"
		within 10 dead $p
	done
	within 15 controller_ended
	rm -rf "$RIG/etcd"
	cluster_fill
}
