#!/bin/bash
#
# Makes the known-answer vectors of this folder anew: keys, SealedSecrets
# sealed by the stock kubeseal, and the Secrets they must become.  The expected
# Secrets come from what was given to kubeseal; in addition each must agree
# with what the stock "kubeseal --recovery-unseal" makes of the SealedSecret.
#
# Sealing is randomised and the keys are new, so every run changes all files:
# run it only to add cases, and commit the folder as a whole.
#
#	tests/e2e/run.sh --exec tests/vectors/make-vectors.sh
#
# (that puts the pinned kubeseal and a kubectl with a real cluster on PATH; the
# backup files are what that kubectl prints).
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ns=vectors
label=sealedsecrets.bitnami.com/sealed-secrets-key

die() {
	echo "make-vectors: $*" >&2
	exit 1
}

# key NAME BITS: a private key in both PEM forms and its certificate.
key() {
	openssl genrsa -traditional -out "keys/$1.pkcs1.pem" "$2" 2>/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "keys/$1.pkcs1.pem" \
	    -out "keys/$1.pkcs8.pem"
	openssl req -x509 -key "keys/$1.pkcs1.pem" -days 10950 -sha256 \
	    -subj "/CN=$1" -out "keys/$1.crt.pem"
}

b64() {
	base64 -w 0
}

# Deterministic bytes of any length, so that only the sealing is random.
stream() {
	openssl enc -aes-128-ctr -nosalt -K 00112233445566778899aabbccddeeff \
	    -iv 00000000000000000000000000000001 -in /dev/zero 2>/dev/null |
	    head -c "$1" || true
}

# secret NAME FILTER [JQ-ARG...]: the Secret given to kubeseal.
secret() {
	local name=$1 filter=$2
	shift 2
	jq -n --arg ns "$ns" --arg name "$name" "$@" '{
		apiVersion: "v1", kind: "Secret",
		metadata: {name: $name, namespace: $ns}
	} | '"$filter" >"$work/in.json"
}

# What the controller is to write for the Secret given to kubeseal.
expected() {
	jq -S '.data = ((.data // {}) +
	    ((.stringData // {}) | map_values(@base64)))
	  | del(.stringData)
	  | if .metadata.annotations then .metadata.annotations |= del(
	    ."kubectl.kubernetes.io/last-applied-configuration") else . end' \
	    "$1"
}

# The facts on which the stock kubeseal and we must agree.
facts='{n: .metadata.name, ns: .metadata.namespace, t: (.type // ""),
	i: (.immutable // false), l: (.metadata.labels // {}),
	a: (.metadata.annotations // {}), d: ((.data // {}) |
	map_values(. // ""))}'

agrees_with_kubeseal() {
	local got want
	got=$(kubeseal --recovery-unseal -o json --recovery-private-key \
	    "keys/$2.pkcs1.pem" <"cases/$1/sealed.json" | jq -cS "$facts")
	want=$(jq -cS "$facts" "cases/$1/secret.json")
	[ "$got" = "$want" ] || die "$1: kubeseal unseals something else"
}

index() {
	jq -n --arg case "$1" --arg key "$2" --arg outcome "$3" --arg about "$4" \
	    '{$case, $key, $outcome, $about}' >>"$work/index"
}

# unseals CASE KEY ABOUT [SCOPE]: seals $work/in.json, which must come back.
unseals() {
	mkdir -p "cases/$1"
	kubeseal --cert "keys/$2.crt.pem" -o json ${4:+--scope "$4"} \
	    <"$work/in.json" >"cases/$1/sealed.json"
	expected "$work/in.json" >"$work/want.json"
	if [ -n "${4:-}" ] && [ "$4" != strict ]; then
		jq -S --arg a "sealedsecrets.bitnami.com/$4" \
		    '.metadata.annotations[$a] = "true"' "$work/want.json"
	else
		cat "$work/want.json"
	fi >"cases/$1/secret.json"
	agrees_with_kubeseal "$1" "$2"
	index "$1" "$2" secret "$3"
}

# edited CASE FROM SEALED-FILTER SECRET-FILTER ABOUT: still unseals.
edited() {
	local key
	key=$(jq -r --arg c "$2" 'select(.case == $c).key' "$work/index")
	mkdir -p "cases/$1"
	jq "$3" "cases/$2/sealed.json" >"cases/$1/sealed.json"
	jq -S "$4" "cases/$2/secret.json" >"cases/$1/secret.json"
	agrees_with_kubeseal "$1" "$key"
	index "$1" "$key" secret "$5"
}

# fails CASE FROM KEY SEALED-FILTER ERROR ABOUT: must not unseal.
fails() {
	mkdir -p "cases/$1"
	jq "$4" "cases/$2/sealed.json" >"cases/$1/sealed.json"
	echo "$5" >"cases/$1/error.txt"
	if kubeseal --recovery-unseal --recovery-private-key \
	    "keys/$3.pkcs1.pem" <"cases/$1/sealed.json" >"$work/out" 2>&1; then
		die "$1: kubeseal unseals it"
	fi
	grep -qF "$5" "$work/out" || die "$1: kubeseal says $(cat "$work/out")"
	index "$1" "$3" error "$6"
}

# raw CASE SCOPE: an item of kubeseal --raw, put into a hand-made SealedSecret.
raw() {
	local item
	item=$(printf 'raw value of %s' "$1" | kubeseal --raw \
	    --cert keys/rsa2048.crt.pem --namespace "$ns" --name "$1" \
	    --scope "$2" --from-file=/dev/stdin)
	mkdir -p "cases/$1"
	printf '%s\n' "$item" >"cases/$1/raw.txt"
	jq -n --arg ns "$ns" --arg name "$1" --arg scope "$2" --arg item "$item" \
	    '{apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret",
	      metadata: ({name: $name, namespace: $ns} +
	      if $scope == "strict" then {} else {annotations:
	      {"sealedsecrets.bitnami.com/\($scope)": "true"}} end),
	      spec: {encryptedData: {foo: $item}}}' >"cases/$1/sealed.json"
	secret "$1" ".data.foo = (\"raw value of $1\" | @base64)"
	expected "$work/in.json" >"cases/$1/secret.json"
	agrees_with_kubeseal "$1" rsa2048
	index "$1" rsa2048 secret "an item of kubeseal --raw, scope $2"
}

make_keys() {
	rm -rf keys
	mkdir keys
	key rsa2048 2048
	key rsa4096 4096
	key other2048 2048
}

make_good_cases() {
	secret strict '.data.foo = ("bar" | @base64)'
	unseals strict rsa2048 "one item, scope strict"
	unseals strict-4096 rsa4096 "the same with a 4096 bit key"

	secret many-items '.data = ([range(12) | {key: "item-\(.).key_\(.)",
	    value: ("value \(.)\n" * (. + 1) | @base64)}] | from_entries)'
	unseals many-items rsa2048 "twelve items whose names use . - and _"

	secret namespace-wide '.data.foo = ("ns" | @base64)'
	unseals namespace-wide rsa2048 "scope namespace-wide" namespace-wide

	secret cluster-wide '.data.foo = ("cluster" | @base64)'
	unseals cluster-wide rsa2048 "scope cluster-wide" cluster-wide
	unseals cluster-wide-4096 rsa4096 \
	    "scope cluster-wide, a 4096 bit key" cluster-wide

	secret empty-value '.data = {empty: "", full: ("x" | @base64)}'
	unseals empty-value rsa2048 "an empty value beside a full one"

	stream 102400 | b64 >"$work/big"
	# shellcheck disable=SC2016
	secret binary-100k '.data.blob = $v' \
	    --rawfile v "$work/big"
	unseals binary-100k rsa2048 "100 KiB of binary data"

	printf '%b' "$(printf '\\x%02x' {0..255})" | b64 >"$work/all"
	# shellcheck disable=SC2016
	secret all-bytes '.data.all = $v' \
	    --rawfile v "$work/all"
	unseals all-bytes rsa2048 "each byte value once"

	secret unicode '.data.text = ("na\u00efve \u2603 \ud83d\ude00" |
	    @base64)'
	unseals unicode rsa2048 "UTF-8 text of two, three and four bytes"

	secret string-data '.stringData.plain = "from stringData"
	    | .data.coded = ("from data" | @base64)'
	unseals string-data rsa2048 "stringData beside data"

	secret docker '.type = "kubernetes.io/dockerconfigjson" |
	    .data.".dockerconfigjson" = ({auths: {"r.example":
	    {auth: "dTpw"}}} | tojson | @base64)'
	unseals docker rsa2048 "a template with a type"

	secret metadata '.metadata.labels = {app: "web", "example.com/tier": "a"}
	    | .metadata.annotations = {"example.com/note": "two words",
	    "sealedsecrets.bitnami.com/managed": "true",
	    "kubectl.kubernetes.io/last-applied-configuration": "{}"}
	    | .data.foo = ("bar" | @base64)'
	unseals metadata rsa2048 \
	    "labels and annotations; last-applied-configuration is dropped"

	secret immutable '.immutable = true | .data.foo = ("bar" | @base64)'
	unseals immutable rsa2048 "an immutable template"
}

make_edited_cases() {
	edited renamed-item strict \
	    '.spec.encryptedData = {renamed: .spec.encryptedData.foo}' \
	    '.data = {renamed: .data.foo}' "an item under another name"
	edited namespace-wide-other-name namespace-wide \
	    '.metadata.name = "other" | .spec.template.metadata.name = "other"' \
	    '.metadata.name = "other"' "namespace-wide, another name"
	edited cluster-wide-elsewhere cluster-wide \
	    '.metadata += {name: "other", namespace: "elsewhere"}' \
	    '.metadata += {name: "other", namespace: "elsewhere"}' \
	    "cluster-wide, another name in another namespace"

	raw raw-strict strict
	raw raw-namespace-wide namespace-wide
	raw raw-cluster-wide cluster-wide
}

make_bad_cases() {
	local none='no key could decrypt secret'

	fails strict-other-name strict rsa2048 '.metadata.name = "other"' \
	    "$none (foo)" "strict, another name"
	fails strict-other-namespace strict rsa2048 \
	    '.metadata.namespace = "elsewhere"' \
	    "$none (foo)" "strict, another namespace"
	fails namespace-wide-elsewhere namespace-wide rsa2048 \
	    '.metadata.namespace = "elsewhere"' \
	    "$none (foo)" "namespace-wide, another namespace"
	fails strict-said-cluster-wide strict rsa2048 \
	    '.metadata.annotations["sealedsecrets.bitnami.com/cluster-wide"] =
	    "true"' "$none (foo)" "a strict item in a cluster-wide object"
	fails cluster-wide-said-strict cluster-wide rsa2048 \
	    'del(.metadata.annotations)' \
	    "$none (foo)" "a cluster-wide item in a strict object"
	fails wrong-key strict other2048 . \
	    "$none (foo)" "sealed to a key that is not there"
	fails truncated strict rsa2048 \
	    '.spec.encryptedData.foo |= .[0:(length - 4)]' \
	    "$none (foo)" "the last bytes of the tag are missing"
	fails bad-base64 strict rsa2048 \
	    '.spec.encryptedData.foo = "NOTVALID*BASE64="' \
	    'illegal base64 data at input byte 8 (foo)' "no base64"
}

# The key Secrets as the documented backup commands print them.
make_backup() {
	rm -rf backup
	mkdir backup
	kubectl create namespace vectors >/dev/null
	for k in rsa2048 rsa4096; do
		kubectl -n vectors create secret tls "sealed-secrets-key$k" \
		    --key "keys/$k.pkcs1.pem" --cert "keys/$k.crt.pem"
		kubectl -n vectors label secret "sealed-secrets-key$k" \
		    "$label=active"
	done >/dev/null
	kubectl -n vectors get secret -l "$label" -o json >backup/list.json
	kubectl -n vectors get secret -l "$label" -o yaml >backup/list.yaml
	kubectl -n vectors get secret sealed-secrets-keyrsa2048 -o yaml \
	    >backup/secret.yaml
	kubectl delete namespace vectors --wait=false >/dev/null
	kubeseal --recovery-unseal -o json --recovery-private-key \
	    backup/list.yaml <cases/strict-4096/sealed.json |
	    jq -e '.data.foo == ("bar" | @base64)' >/dev/null ||
	    die "the backup does not unseal"
}

rm -rf cases index.json
make_keys
make_good_cases
make_edited_cases
make_bad_cases
jq -s . "$work/index" >index.json
kubeseal --version >kubeseal-version
[ "${1:-}" = --offline ] || make_backup
echo "make-vectors: $(jq length index.json) cases"
