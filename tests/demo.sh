#!/usr/bin/env bash
# A SealedSecret becomes a Secret, step by step, on this machine alone: the
# small API server of tests/apiserver, the controller, and nothing left behind.
# DEMO_KEEP=1 keeps both running until Ctrl-C and prints commands to try.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BUILD:=build}"
: "${OUT:=$BUILD/release}"
dir=$(mktemp -d)
api_pid='' ctl_pid=''

cleanup() {
	trap - EXIT
	[ -n "$ctl_pid" ] && kill "$ctl_pid" 2>/dev/null && wait "$ctl_pid" 2>/dev/null
	[ -n "$api_pid" ] && kill "$api_pid" 2>/dev/null && wait "$api_pid" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ -t 1 ]; then bold=$(printf '\033[1m') off=$(printf '\033[0m'); else bold='' off=''; fi
step_no=0
step() {
	step_no=$((step_no + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step_no" "$1" "$off"
}
show() { sed 's/^/   /'; }
die() {
	echo "demo: $1" >&2
	for log in api controller; do
		[ -f "$dir/$log.log" ] || continue
		echo "--- $log.log" >&2
		tail -n 20 "$dir/$log.log" >&2
	done
	exit 1
}

# Waits up to 20 s until a command succeeds.
wait_for() { # what, command...
	local what=$1 end=$((SECONDS + 20))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || die "waited 20 s for $what"
		sleep 0.1
	done
}

get() { curl -sSf "$api$1"; }
post() { curl -sSf -X POST -H 'Content-Type: application/json' --data-binary @- "$api$1"; }
listening() { addr=$(sed -n "$1" "$2" | head -n 1) && [ -n "$addr" ]; }
field() { [ "$(get "$1" | jq -r "$2")" = "$3" ]; }

namespace=demo
secrets=/api/v1/namespaces/$namespace/secrets
sealed=/apis/bitnami.com/v1alpha1/namespaces/$namespace/sealedsecrets
events=/api/v1/namespaces/$namespace/events
condition='.status.conditions[]? | select(.type == "Synced")'

step "Start a small API server and the controller"
"$OUT/tests/apiserver" --listen 127.0.0.1:0 --write-kubeconfig "$dir/kubeconfig" \
	>"$dir/api.log" 2>&1 &
api_pid=$!
wait_for "the API server" listening 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$dir/api.log"
api=http://$addr
for ns in kube-system $namespace; do
	get "/api/v1/namespaces/$ns" >/dev/null 2>&1 ||
		printf '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}' "$ns" |
		post /api/v1/namespaces >/dev/null
done
POD_NAMESPACE=kube-system "$BUILD/controller" --kubeconfig "$dir/kubeconfig" \
	--listen-addr 127.0.0.1:0 --listen-metrics-addr 127.0.0.1:0 \
	>"$dir/controller.log" 2>&1 &
ctl_pid=$!
wait_for "the controller" listening 's/.*"HTTP server serving" addr=\([^ ]*\).*/\1/p' "$dir/controller.log"
controller=http://$addr
echo "API server $api, controller $controller" | show

step "The controller made a sealing key; its public certificate is for everybody"
wait_for "the first key" curl -sSf "$controller/readyz"
curl -sSf "$controller/v1/cert.pem" >"$dir/cert.pem"
openssl x509 -in "$dir/cert.pem" -noout -dates | show
head -n 2 "$dir/cert.pem" | show
echo "..." | show

step "Seal a Secret with it: this file is safe in Git"
"$OUT/tests/seal" "$dir/cert.pem" $namespace database-credentials \
	DB_USER=app DB_PASSWORD=correct-horse >"$dir/sealed.json"
jq '{kind, name: .metadata.name,
	encryptedData: (.spec.encryptedData | map_values(.[0:24] + "..."))}' "$dir/sealed.json" | show

step "Apply it: the controller decrypts it into a Secret that it owns"
post $sealed <"$dir/sealed.json" >/dev/null
wait_for "the Secret" get $secrets/database-credentials
get $secrets/database-credentials | jq '{kind, type,
	name: .metadata.name,
	owner: .metadata.ownerReferences[0].kind,
	data: (.data | map_values(@base64d))}' | show

step "Its status and its event"
wait_for "Synced=True" field $sealed/database-credentials "$condition | .status" True
get $sealed/database-credentials |
	jq -r '.status.conditions[] | "\(.type)  \(.status)  \(.reason)"' | awk '{ printf "%-8s %-6s %s\n", $1, $2, $3 }' | show
wait_for "the event" sh -c "curl -sSf '$api$events' | grep -q Unsealed"
get $events | jq -r '.items[] | "\(.type)  \(.reason)  \(.message)"' | show

step "Delete the Secret: it comes back"
uid=$(get $secrets/database-credentials | jq -r .metadata.uid)
curl -sSf -X DELETE "$api$secrets/database-credentials" >/dev/null
came_back() { [ "$(get $secrets/database-credentials | jq -r .metadata.uid)" != "$uid" ]; }
wait_for "the new Secret" came_back
echo "old uid $uid" | show
echo "new uid $(get $secrets/database-credentials | jq -r .metadata.uid)" | show

step "A bad one: sealed for another name, so no key opens it, and nothing is written"
jq '.metadata.name = "stolen" | .spec.template.metadata.name = "stolen"' "$dir/sealed.json" |
	post $sealed >/dev/null
wait_for "Synced=False" field $sealed/stolen "$condition | .status" False
get $sealed/stolen | jq -r "$condition | \"\(.type)  \(.status)  \(.reason)\", .message" | show
if get $secrets/stolen >/dev/null 2>&1; then die "a Secret was written"; fi
get $events | jq -r '.items[] | select(.involvedObject.name == "stolen") |
	"\(.type)  \(.reason)  \(.message | split("\n")[0])"' | show

if [ "${DEMO_KEEP:-}" = 1 ]; then
	step "Yours to play with, until Ctrl-C"
	show <<-END
		curl -s $api$secrets | jq '.items[].metadata.name'
		curl -s $controller/v1/cert.pem > cert.pem
		$OUT/tests/seal cert.pem $namespace mine KEY=value > mine.json
		curl -s -X POST -H 'Content-Type: application/json' --data-binary @mine.json $api$sealed
		curl -s $api$sealed/mine | jq .status
		tail -f $dir/controller.log
	END
	command -v kubectl >/dev/null && echo "kubectl --kubeconfig $dir/kubeconfig get sealedsecrets -A" | show
	wait "$ctl_pid" || true
	exit 0
fi

step "Stop"
kill "$ctl_pid"
status=0
wait "$ctl_pid" || status=$?
ctl_pid=''
[ "$status" -eq 0 ] || die "the controller ended with $status"
echo "the controller ended in order; nothing is left running" | show
