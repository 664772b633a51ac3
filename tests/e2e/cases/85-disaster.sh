#!/bin/bash
#
# Backups of the keys in every form, the loss of everything that the API server
# has stored, and the way back: every SealedSecret of before is Synced again.
#
# shellcheck disable=SC2154,SC2317

# drill_seals: SealedSecrets of every scope under an old and a new key, in
# $RIG/drill: the files a Git repository would have, and what they become.
drill_seals() {
	local scope name value
	rm -rf "$RIG/drill/git"
	mkdir -p "$RIG/drill/git"
	namespace
	echo "$ns" >"$RIG/drill/ns"
	for name in old new; do
		for scope in strict namespace-wide cluster-wide; do
			value=$(plain)
			secret "$ns" "$name-$scope" "foo=$value" |
			    seal --scope "$scope" \
			        >"$RIG/drill/git/$name-$scope.json"
			echo "$value" >"$RIG/drill/git/$name-$scope.value"
		done
		[ "$name" = new ] || next_key
	done
	kubectl apply -f "$RIG/drill/git"
	drill_is_back
}

drill_is_back() {
	local file name
	ns=$(cat "$RIG/drill/ns")
	for file in "$RIG"/drill/git/*.json; do
		name=$(basename "$file" .json)
		unsealed "$ns" "$name" "foo=$(cat "${file%.json}.value")"
	done
}

# A new cluster whose controller has made a first key of its own: it gets what
# is in Git, and nothing opens.
drill_loses_all() {
	cluster_lose
	rm -rf "$RIG/mounts"
	# shellcheck disable=SC2119
	controller_start
	drill_applies_git
	refused "$ns" old-strict "no key could decrypt secret"
	refused "$ns" new-cluster-wide "no key could decrypt secret"
	gone secret -n "$ns" old-strict
}

drill_applies_git() {
	ns=$(cat "$RIG/drill/ns")
	fails kubectl get namespace "$ns"
	kubectl create namespace "$ns"
	kubectl apply -f "$RIG/drill/git"
}

# The same keys, whatever the form.
same_keys() {
	same "$(yaml_keys "$1")" "$(yaml_keys "$2")" "keys in $2"
}

yaml_keys() {
	kubectl create --dry-run=client -f "$1" -o json |
	    jq -rs '[.[] | (.items // [.])[] | {n: .metadata.name, d: .data,
	    l: .metadata.labels, t: .type}] | sort_by(.n)'
}

plain_export() {
	local d=$RIG/drill
	admin_start
	rm -f "$d/plain.yaml"
	account verifier create,get,list
	keys_as verifier export --verify --out "$d/plain.yaml" |
	    grep -E 'keys, [0-9]+ bytes, NOT encrypted, .* verified$'
	same 600 "$(stat -c %a "$d/plain.yaml")" "mode"
	kubectl get secret -n kube-system -l "$key_label" -o yaml \
	    >"$d/kubectl.yaml"
	same_keys "$d/kubectl.yaml" "$d/plain.yaml"
	fails grep -E 'uid|resourceVersion|creationTimestamp' "$d/plain.yaml"
	kubeseal --recovery-unseal \
	    --recovery-private-key "$d/plain.yaml" \
	    <"$d/git/old-strict.json" |
	    jq -e --arg v "$(cat "$d/git/old-strict.value")" \
	        '.data.foo | @base64d == $v'
}

# encrypted_export NAME: to this recipient alone; $RIG/drill/NAME.yaml is what
# it opens to.
encrypted_export() {
	local d=$RIG/drill
	admin_start "$1"
	keys_as sealed-secrets-backup export --out "$d/$1.pem" |
	    grep -E 'keys, [0-9]+ bytes, encrypted$'
	grep -q -e '-----BEGIN CMS-----' "$d/$1.pem"
	fails grep -q -e PRIVATE -e apiVersion "$d/$1.pem"
	opened "$1" "$d/$1.pem" "$d/$1.yaml"
	same_keys "$d/plain.yaml" "$d/$1.yaml"
	fails keys_as restorer export --out "$d/forbidden"
}

drill_backs_up() {
	mkdir -p "$RIG/drill"
	recipient rsa -newkey rsa:3072
	recipient ec -newkey ec -pkeyopt ec_paramgen_curve:P-384
	admin_start
	drill_seals
	account restorer create
	plain_export
	encrypted_export rsa
	encrypted_export ec
	fails opened rsa "$RIG/drill/ec.pem" "$RIG/drill/wrong"
	keys_as sealed-secrets-backup list -o json |
	    jq -e '.keys | length >= 2 and all(.backedUp != null)'
}

the_keys_come_back_through_the_admin_port_after_a_disaster() {
	local d=$RIG/drill
	drill_backs_up
	drill_loses_all
	admin_start ec
	account restorer create
	keys_as restorer restore --dry-run "$d/rsa.yaml" |
	    grep 'Dry run, nothing was written: would be'
	refused "$ns" old-strict "no key could decrypt secret"
	keys_as restorer restore -o json "$d/rsa.yaml" >"$d/restored"
	jq -e '.keys | length >= 2 and all(.result == "created")' \
	    "$d/restored"
	drill_is_back
	# Again: nothing to do, and the rest of the forms agree.
	keys_as restorer restore -o json "$d/plain.yaml" |
	    jq -e '.keys | all(.result == "unchanged")'
	keys_as restorer restore -o json - <"$d/ec.yaml" |
	    jq -e '.keys | all(.result == "unchanged")'
	fails keys_as restorer restore "$d/ec.pem"
	fails keys_as sealed-secrets-backup restore "$d/rsa.yaml"
	get events -n kube-system | jq -e '[.items[] |
	    select(.reason == "SealingKeysRestored")] | length == 1'
	admin_end
}
test_case the_keys_come_back_through_the_admin_port_after_a_disaster

the_keys_come_back_through_kubectl_after_a_disaster() {
	local d=$RIG/drill
	drill_backs_up
	drill_loses_all
	kubectl apply -f "$d/ec.yaml"
	drill_is_back
	# The plain file and the one of kubectl name the same objects.
	kubectl apply -f "$d/plain.yaml"
	# Before the controller's first start, so that it makes no key.
	cluster_lose
	kubectl apply -f "$d/kubectl.yaml"
	rm -rf "$RIG/mounts"
	# shellcheck disable=SC2119
	controller_start
	drill_applies_git
	drill_is_back
	# Those that are no longer active among them, and none besides.
	same "$(yaml_keys "$d/kubectl.yaml" | jq length)" \
	    "$(get secret -n kube-system -l "$key_label" |
	        jq '.items | length')" "number of keys"
}
test_case the_keys_come_back_through_kubectl_after_a_disaster

the_shipped_CronJob_stores_encrypted_backups_and_keeps_the_newest() {
	local d=$RIG/drill i old newest
	mkdir -p "$d/job/disk"
	recipient ec -newkey ec -pkeyopt ec_paramgen_curve:P-384
	admin_start ec
	for i in $(seq -w 1 31); do
		touch "$d/job/disk/sealed-secrets-keys-202501${i}T031700Z.pem"
	done
	touch "$d/job/disk/notes.txt"
	cronjob_runs "$d/job" >"$d/job/said"
	cat "$d/job/said"
	grep -E '^/mnt/disk/.*: [0-9]+ keys?, [0-9]+ bytes, encrypted$' \
	    "$d/job/said"
	grep -F '2 older backups deleted' "$d/job/said"
	[ -e "$d/job/disk/notes.txt" ] || die "notes.txt is gone"
	old=$d/job/disk/sealed-secrets-keys-202501
	if [ -e "${old}02T031700Z.pem" ] || [ ! -e "${old}03T031700Z.pem" ]; then
		die "the wrong ones were deleted"
	fi
	newest=$(find "$d/job/disk" -name '*.pem' | sort | tail -n 1)
	same 600 "$(stat -c %a "$newest")" "mode"
	opened ec "$newest" "$d/job/keys.yaml"
	kubectl get secret -n kube-system -l "$key_label" -o yaml \
	    >"$d/job/kubectl.yaml"
	same_keys "$d/job/kubectl.yaml" "$d/job/keys.yaml"
	admin_end
}
test_case the_shipped_CronJob_stores_encrypted_backups_and_keeps_the_newest
