#!/bin/bash
#
# End-to-end tests: the controller against a real kube-apiserver, with the
# stock kubectl and kubeseal.  See README.md.
#
#	run.sh [-k PATTERN] [--bench] [--list]
#	run.sh --shell | --exec COMMAND [ARGUMENT...]
#
# Environment: CONTROLLER, the binary (build/controller); CONFORMANCE, the
# program with the API server's conformance cases
# (build/release/tests/conformance); BENCH, the folder with the measuring
# programs (build/release/tests); MANIFEST, the manifest to install
# (manifests/controller.yaml); E2E_KEEP=1 keeps the folder with state and logs.
#
# Functions here are called by traps and by the cases:
# shellcheck disable=SC2317
set -uo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
	sed -n 's/^#	//p' "$here/run.sh"
	exit "$1"
}

parse_options() {
	mode=test list='' pattern='' command=()
	while [ $# -gt 0 ]; do
		case $1 in
		-k)
			[ $# -ge 2 ] || usage 2
			# As tables of Markdown have it, too.
			pattern=${2//\\|/|}
			shift
			;;
		--bench) mode=bench ;;
		--list) list=1 ;;
		--shell) mode=shell command=(bash --norc -i) ;;
		--exec)
			mode='exec'
			shift
			command=("$@")
			[ $# -gt 0 ] || usage 2
			return
			;;
		-h | --help) usage 0 ;;
		*) usage 2 ;;
		esac
		shift
	done
}

# --- outside: find what is needed, make the namespaces, clean up after them

# A skipped suite says so in the form of a test run.
skip_all() {
	echo "e2e: skipped: $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

find_programs() {
	local rc=0
	tools=$("$here/build-tools.sh") || rc=$?
	[ $rc -ne 77 ] || skip_all "$tools"
	[ $rc -eq 0 ] || fail_all "the cluster's programs could not be built"
	[ -x "$CONTROLLER" ] ||
		fail_all "no controller at $CONTROLLER: make builds it"
	[ -r "$MANIFEST" ] || fail_all "no manifest at $MANIFEST"
}

fail_all() {
	echo "e2e: $*" >&2
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# Ending the outermost process of the namespaces ends every process in them,
# but not at once; until then the folder may still be written to.
outside_cleanup() {
	local try
	[ -z "${inner:-}" ] || kill -KILL "$inner" 2>/dev/null
	wait 2>/dev/null
	if [ -n "${E2E_KEEP:-}" ]; then
		echo "e2e: state and logs are in $RIG" >&2
		return
	fi
	for ((try = 0; try < 50; try++)); do
		rm -rf "$RIG" 2>/dev/null && return
		sleep 0.1
	done
}

outside() {
	CONTROLLER=$(realpath -m "${CONTROLLER:-$root/build/controller}")
	MANIFEST=$(realpath -m "${MANIFEST:-$root/manifests/controller.yaml}")
	CONFORMANCE=$(realpath -m "${CONFORMANCE:-$root/build/release/tests/conformance}")
	BENCH=$(realpath -m "${BENCH:-$root/build/release/tests}")
	if [ ${#command[@]} = 0 ] && [ -z "$(list_cases)" ]; then
		fail_all "no case matches \"$pattern\" (--list names them)"
	fi
	[ "$(id -u)" = 0 ] || skip_all "needs root, for namespaces of its own"
	"$root/.ci/deps" e2e >&2 || fail_all "packages are missing"
	unshare --net --mount --pid --fork --mount-proc true 2>/dev/null ||
	    skip_all "this machine refuses new namespaces"
	find_programs
	RIG=$(mktemp -d "${TMPDIR:-/tmp}/sealed-secrets-e2e.XXXXXX")
	chmod 755 "$RIG"
	trap outside_cleanup EXIT
	trap 'exit 130' INT TERM HUP
	export RIG CONTROLLER MANIFEST CONFORMANCE BENCH
	export PATH="$tools:$PATH" HOME="$RIG/home"
	export KUBECONFIG="$RIG/admin.kubeconfig"
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
	mkdir -p "$RIG/bin" "$HOME"
	cp "$CONTROLLER" "$RIG/bin/controller"
	inside=(unshare --net --mount --pid --fork --kill-child --mount-proc
	    "$BASH" "$here/run.sh" --inside "$@")
	if [ ${#command[@]} -gt 0 ]; then
		"${inside[@]}"
		exit
	fi
	# In the background, so that a signal to this shell is seen at once.
	exec 3<&0
	"${inside[@]}" <&3 3<&- &
	inner=$!
	wait "$inner"
	exit
}

# --- inside

count_passed=0 count_failed=0 count_skipped=0
cases=()
case_seconds=240

# test_case FUNCTION: its name is the sentence that it proves.
test_case() {
	[[ -z $pattern || ${1//_/ } =~ ${pattern//_/ } ]] || return 0
	cases+=("$1")
}

# A case calls this to say that it cannot run here.
skip() {
	echo "$*" >"$RIG/skip"
	exit 77
}

show_failure() {
	echo "---- output of the case"
	cat "$RIG/case.log"
	echo "---- the controller meanwhile"
	log_since "$1" 2>/dev/null | tail -n 60
	echo "----"
}

log_size() {
	stat -c %s "$RIG/controller.log" 2>/dev/null || echo 0
}

# log_since SIZE: what the controller has logged since log_size was that.
log_since() {
	tail -c "+$(($1 + 1))" "$RIG/controller.log"
}

# limited FUNCTION: runs it under set -e, and ends it if it hangs.
limited() {
	local case dog rc
	(
		set -e
		"$1"
	) >"$RIG/case.log" 2>&1 </dev/null &
	case=$!
	(
		read -r -t "$case_seconds" <>"$RIG/never"
		kill -KILL "$case"
	) 2>/dev/null &
	dog=$!
	wait "$case"
	rc=$?
	kill "$dog" 2>/dev/null
	wait "$dog" 2>/dev/null
	return $rc
}

# After a case that failed half-way, the next one finds everything running.
restore() {
	local p
	for p in etcd apiserver manager controller; do
		kill -CONT "$(pid $p)"
	done
	if dead apiserver; then
		apiserver_start
	fi
	apiserver_wait
	[ ! -e "$RIG/reference" ] || reference_stop
	# shellcheck disable=SC2119
	controller_running || controller_start
}

run_case() {
	local name=${1//_/ } rc start size
	start=$(now_ms)
	size=$(log_size)
	: >"$RIG/report"
	limited "$1"
	rc=$?
	name="$name ($(($(now_ms) - start)) ms)"
	case $rc in
	0)
		count_passed=$((count_passed + 1))
		echo "ok      $name"
		;;
	77)
		count_skipped=$((count_skipped + 1))
		echo "skipped $name: $(cat "$RIG/skip")"
		;;
	*)
		count_failed=$((count_failed + 1))
		echo "FAILED  $name"
		show_failure "$size"
		restore >>"$RIG/start.log" 2>&1
		;;
	esac
	sed 's/^/        /' "$RIG/report"
}

# report TEXT: a line that the run shows below the case.
report() {
	echo "$*" >>"$RIG/report"
}

load_cases() {
	local file dir=cases
	# Making dozens of keys takes long on a busy machine.
	[ "$mode" != bench ] || dir=bench case_seconds=900
	for file in "$here/$dir"/*.sh; do
		# shellcheck source=/dev/null
		. "$file"
	done
}

# step WHAT LOGS COMMAND...: one step of the start.
step() {
	local what=$1 logs=$2 rc
	shift 2
	(
		set -e
		"$@"
	) >"$RIG/start.log" 2>&1
	rc=$?
	[ $rc = 0 ] && return 0
	echo "e2e: $what" >&2
	for log in start $logs; do
		echo "---- $log" >&2
		tail -n 60 "$RIG/$log.log" >&2
	done
	return 1
}

bring_up() {
	step "the cluster did not start" "etcd apiserver manager" \
	    cluster_start || return
	step "the controller did not become ready" controller controller_start
}

inside_shell() {
	[ "$mode" = exec ] || cat >&2 <<-EOF
		A real API server, the shipped manifest and the controller are up.
		kubectl and kubeseal work as they are; state and logs: $RIG
	EOF
	PS1='e2e \w \$ ' "${command[@]}"
}

inside() {
	local c
	# shellcheck source=lib/check.sh
	. "$here/lib/check.sh"
	# shellcheck source=lib/cluster.sh
	. "$here/lib/cluster.sh"
	# shellcheck source=lib/controller.sh
	. "$here/lib/controller.sh"
	# shellcheck source=lib/backup.sh
	. "$here/lib/backup.sh"
	# shellcheck source=lib/many.sh
	. "$here/lib/many.sh"
	# shellcheck source=lib/bench.sh
	. "$here/lib/bench.sh"
	# shellcheck source=lib/install.sh
	. "$here/lib/install.sh"
	# shellcheck source=lib/privileges.sh
	. "$here/lib/privileges.sh"
	[ ${#command[@]} -gt 0 ] || load_cases
	if ! bring_up; then
		echo "0 passed, 1 failed, 0 skipped"
		return 1
	fi
	if [ ${#command[@]} -gt 0 ]; then
		inside_shell
		return
	fi
	mkfifo "$RIG/never"
	for c in "${cases[@]}"; do
		run_case "$c"
	done
	echo "$count_passed passed, $count_failed failed, $count_skipped skipped"
	[ "$count_failed" = 0 ]
}

list_cases() {
	local c RIG=
	load_cases
	for c in "${cases[@]}"; do
		echo "${c//_/ }"
	done
}

if [ "${1:-}" = --inside ]; then
	shift
	parse_options "$@"
	inside
	exit
fi
parse_options "$@"
if [ -n "$list" ]; then
	list_cases
	exit
fi
outside "$@"
