#!/bin/bash
#
# Words for test cases: waiting by polling against a deadline, comparing,
# sealing, and looking at what came of it.

die() {
	echo "$*" >&2
	return 1
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# within SECONDS COMMAND...: polls until the command succeeds.
within() {
	local end=$(($(now_ms) + $1 * 1000)) seconds=$1 out
	shift
	until out=$("$@" 2>&1); do
		if [ "$(now_ms)" -ge "$end" ]; then
			die "not within $seconds s: $*
last output: $out"
			return 1
		fi
		sleep 0.1
	done
}

# stays SECONDS COMMAND...: the command must succeed all that time; for
# asserting that something does not happen.
stays() {
	local end=$(($(now_ms) + $1 * 1000)) out
	shift
	while [ "$(now_ms)" -lt "$end" ]; do
		out=$("$@" 2>&1) || {
			die "did not stay so: $*
last output: $out"
			return 1
		}
		sleep 0.2
	done
}

# same WANT GOT WHAT
same() {
	[ "$1" = "$2" ] || die "$3:
  want: $1
  got:  $2"
}

# has TEXT PART: TEXT contains PART.
has() {
	case $1 in
	*"$2"*) ;;
	*) die "no \"$2\" in: $1" ;;
	esac
}

lacks() {
	case $1 in
	*"$2"*) die "\"$2\" in: $1" ;;
	esac
}

# fails COMMAND...: "! COMMAND" would not end a case that runs under set -e.
fails() {
	if "$@"; then
		die "should have failed: $*"
	fi
}

# share NAME: the folder that build-tools.sh keeps of a module under that name.
share() {
	local dirs dir
	IFS=: read -ra dirs <<<"$PATH"
	for dir in "${dirs[@]}"; do
		dir=${dir%/bin}/share/$1
		[ ! -d "$dir" ] || {
			echo "$dir"
			return
		}
	done
	die "nothing is kept as $1"
}

# namespace: makes a namespace for the running case; sets $ns.
namespace() {
	ns=t$(random 4)
	kubectl create namespace "$ns"
}

random() {
	od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# plain: a new plaintext, remembered so that the last cases can look for it
# where no plaintext may ever show up.
plain() {
	local text
	text=canary-$(random 12)
	echo "$text" >>"$RIG/plaintexts"
	echo "$text"
}

# secret NS NAME ITEM=VALUE...: the JSON of a Secret.
secret() {
	local ns=$1 name=$2
	shift 2
	jq -n --arg ns "$ns" --arg name "$name" '{apiVersion: "v1",
	    kind: "Secret", metadata: {$name, namespace: $ns},
	    data: ([$ARGS.positional[] | index("=") as $i |
	    {key: .[:$i], value: (.[$i + 1:] | @base64)}] | from_entries)}' \
	    --args "$@"
}

# seal [KUBESEAL-OPTION...]: Secret on stdin, SealedSecret on stdout, sealed
# with the certificate fetched through the API server's service proxy.
seal() {
	kubeseal -o json "$@"
}

apply() {
	kubectl apply -f -
}

get() {
	kubectl get -o json "$@"
}

# data NS NAME: the data of a Secret, as one line of JSON.
data() {
	get secret -n "$1" "$2" | jq -cS .data
}

data_is() {
	same "$(jq -cS . <<<"$3")" "$(data "$1" "$2")" "data of Secret $1/$2"
}

# items ITEM=VALUE...: the same form, from what a case expects.
items() {
	secret x x "$@" | jq -cS .data
}

exists() {
	kubectl get -o name "$@" >/dev/null
}

gone() {
	local out
	out=$(kubectl get -o name --ignore-not-found "$@") && [ -z "$out" ]
}

# synced NS NAME True|False: the condition is there, for the newest generation.
synced() {
	get sealedsecret -n "$1" "$2" | jq -e --arg want "$3" '
	    .status.observedGeneration == .metadata.generation and
	    .status.conditions[0].type == "Synced" and
	    .status.conditions[0].status == $want' ||
		die "not Synced=$3: $(get sealedsecret -n "$1" "$2" |
		    jq -c '[.metadata.generation, .status]')"
}

message() {
	get sealedsecret -n "$1" "$2" |
	    jq -r '.status.conditions[0].message // ""'
}

# event NS NAME REASON: the messages of the events of that reason.
event() {
	kubectl get events -n "$1" -o json --field-selector \
	    "involvedObject.kind=SealedSecret,involvedObject.name=$2,reason=$3" |
	    jq -er '.items | if length > 0 then .[].message else empty end'
}

# unsealed NS NAME ITEM=VALUE...: in the end there is a Secret of just these
# items and the SealedSecret says so.
unsealed() {
	local ns=$1 name=$2
	shift 2
	within 20 data_is "$ns" "$name" "$(items "$@")"
	within 20 synced "$ns" "$name" True
}

# refused NS NAME MESSAGE: in the end the status tells MESSAGE.
refused() {
	within 20 synced "$1" "$2" False
	has "$(message "$1" "$2")" "$3"
}
