#!/bin/bash
#
# Runs the commands of one file of documentation, in order, in a cluster of its
# own and a copy of the tree; each block begins at the top of that copy.
# Called by run.sh through tests/e2e/run.sh --exec.
#
#	document.sh COMMANDS-DIR RESULTS-FILE
#
# shellcheck disable=SC2154,SC2317
set -uo pipefail
shopt -s inherit_errexit

commands=$1 results=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/tests/e2e
for lib in check cluster controller backup install; do
	# shellcheck source=/dev/null
	. "$here/lib/$lib.sh"
done
# shellcheck source=node.sh
. "$root/tests/docs/node.sh"

# --- what needs a kubelet

# kubectl_target WORD...: sets $ns and $target of "logs" or "port-forward".
kubectl_target() {
	ns=default target='' tail='+1'
	while [ $# -gt 0 ]; do
		case $1 in
		-n | --namespace) ns=$2 && shift ;;
		--namespace=*) ns=${1#*=} ;;
		--tail) tail=$2 && shift ;;
		--tail=*) tail=${1#*=} ;;
		-*) ;;
		*) [ -n "$target" ] || target=$1 ;;
		esac
		shift
	done
}

kubectl_logs() {
	local ns target tail file
	kubectl_target "$@"
	case $target in
	job/*)
		within 60 test -e "$RIG/jobs/${target#*/}/exit" || return
		cat "$RIG/jobs/${target#*/}/log"
		return "$(cat "$RIG/jobs/${target#*/}/exit")"
		;;
	esac
	file=$RIG/instances/$ns/${target#*/}-0/controller.log
	[ -e "$file" ] || {
		echo "error: no logs of $target in $ns" >&2
		return 1
	}
	tail -n "$tail" "$file"
}

# Pod and client share one network, so the port is there already.
kubectl_port_forward() {
	local ns target tail
	kubectl_target "$@"
	command kubectl get -n "$ns" "$target" -o name
}

kubectl() {
	case ${1:-} in
	logs | port-forward) "kubectl_${1//-/_}" "${@:2}" ;;
	*) command kubectl "$@" ;;
	esac
}

# --- one command after the other

# matches WANT GOT: "..." stands for anything within a line, and alone for any
# lines; the number of blanks does not count.
matches() {
	local pattern
	pattern=$(sed -E 's/[][\\*?]/\\&/g; s/\.\.\./*/g' <<<"$(squeeze <<<"$1")")
	# shellcheck disable=SC2053
	[[ $(squeeze <<<"$2") == $pattern ]]
}

squeeze() {
	sed -E 's/[[:space:]]+/ /g; s/ $//' | sed -e '/^$/d'
}

# Somebody at a terminal looks again; so do we, for what only looks.
again() {
	case $1 in
	'kubectl get '* | 'kubectl describe '* | 'kubectl logs '* | curl\ *) ;;
	'kubectl wait '* | 'kubeseal --fetch-cert'* | *'kubeseal --validate'*) ;;
	*) return 1 ;;
	esac
}

once() {
	local rc=0
	eval "$command" >"$RIG/out" 2>&1 </dev/null || rc=$?
	if [ -n "$want" ]; then
		matches "$want" "$(cat "$RIG/out")"
		return
	fi
	return $rc
}

try() {
	local end=$((SECONDS + 30))
	until once; do
		again "$command" || return 1
		[ $SECONDS -lt $end ] || return 1
		sleep 0.3
	done
}

show() { # at
	echo "FAIL  $1: $(head -n 1 <<<"$command")"
	[ -z "$want" ] || printf '%s\n' "$want" | sed 's/^/      want  /'
	sed 's/^/      got   /' "$RIG/out" | head -n 40
	grep -e '^node:' -e 'not within' -e '^last' "$RIG/node.log" |
		tail -n 5 | cut -c1-300 | sed 's/^/      node  /'
}

run_all() {
	local file at last=''
	for file in "$commands"/*.cmd; do
		file=${file%.cmd}
		at=$(cat "$file.at") command=$(cat "$file.cmd") want=''
		[ ! -e "$file.want" ] || want=$(cat "$file.want")
		[ "$(cat "$file.block")" = "$last" ] || cd "$scratch" || return
		last=$(cat "$file.block")
		if try; then
			echo "ok    $at: $(head -n 1 <<<"$command" | cut -c1-100)"
			echo passed >>"$results"
		else
			show "$at"
			echo failed >>"$results"
		fi
	done
}

# The tree as it is, as a repository of its own.
copy_tree() {
	scratch=$RIG/scratch
	mkdir -p "$scratch"
	(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$scratch")
	cd "$scratch" || exit
	git init -q .
	git config user.name docs
	git config user.email docs@example.com
	git add -A
	git commit -q -m docs
}

before() { # file
	local hook=$root/tests/docs/before/${1//\//_}
	[ ! -e "${hook%.md}.sh" ] || {
		# shellcheck source=/dev/null
		. "${hook%.md}.sh"
	}
}

copy_tree
PATH=$RIG/bin:$PATH
controller_stop >/dev/null
mkdir -p "$RIG/instances" "$RIG/jobs"
node >"$RIG/node.log" 2>&1 3>&- &
kubectl rollout status -n kube-system "deployment/$app" --timeout 90s >/dev/null ||
	echo "the first controller did not start: $(tail -n 20 "$RIG/node.log")"
first=$(cat "$commands"/*.at | head -n 1)
trap 'sed "s/^/before: /" "$RIG/before.log"' EXIT
set -e
before "${first%:*}" >"$RIG/before.log" 2>&1
set +e
trap - EXIT
run_all
