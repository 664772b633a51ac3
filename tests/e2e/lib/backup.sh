#!/bin/bash
#
# The admin port, switched on as manifests/backup/README.md says, and the Pods
# that the objects there would make.
#
# $here, $root, $app and $address come from the other files:
# shellcheck disable=SC2154

backup_manifests=$root/manifests/backup
admin_name=sealed-secrets-admin.kube-system.svc

# volumes DIR: a Pod on stdin; its volumes as files below DIR/mounts, where the
# container has them.
volumes() {
	local dir=$1/mounts pod kind name path key
	pod=$(cat)
	rm -rf "$dir"
	mkdir -p "$dir/etc"
	# What the kubelet and the cluster's DNS give.
	echo "$address $admin_name" >"$dir/etc/hosts"
	echo "hosts: files" >"$dir/etc/nsswitch.conf"
	jq -r '.spec as $s | $s.containers[0].volumeMounts // [] | .[] |
	    .mountPath as $p | .name as $n | $s.volumes[] |
	    select(.name == $n) | [if .secret then "secret", .secret.secretName
	    elif .configMap then "configmap", .configMap.name
	    elif .projected then "token",
	    .projected.sources[0].serviceAccountToken.audience
	    else "disk", .persistentVolumeClaim.claimName end, $p] |
	    join(" ")' <<<"$pod" | while read -r kind name path; do
		mkdir -p "$dir$path"
		case $kind in
		secret | configmap)
			for key in $(get "$kind" -n kube-system "$name" |
			    jq -r '.data | keys[]'); do
				get "$kind" -n kube-system "$name" |
				    jq -j --arg k "$key" \
				        'if .kind == "Secret"
				        then .data[$k] | @base64d
				        else .data[$k] end' >"$dir$path/$key"
			done
			;;
		token)
			kubectl create token -n kube-system --audience "$name" \
			    "$(jq -r .spec.serviceAccountName <<<"$pod")" \
			    >"$dir$path/token"
			;;
		esac
		chown -R 0:65532 "$dir$path"
		chmod -R u=rwX,g=rX,o= "$dir$path"
		[ "$kind" != disk ] || chmod 770 "$dir$path"
	done
	chmod 755 "$dir" "$dir/etc" "$dir/etc/sealed-secrets"
}

# recipient NAME KEY-OPTION...: $RIG/drill/NAME.crt and .key.
recipient() {
	local name=$1
	shift
	openssl req -x509 -nodes -days 36500 -subj "/CN=$name" "$@" \
	    -keyout "$RIG/drill/$name.key" -out "$RIG/drill/$name.crt"
}

admin_certificate() {
	[ ! -e "$RIG/drill/admin.crt" ] || return 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 3650 -keyout "$RIG/drill/admin.key" \
	    -out "$RIG/drill/admin.crt" -subj /CN=sealed-secrets-admin \
	    -addext "subjectAltName = DNS:$admin_name"
}

# admin_objects RECIPIENT...: what the patched Deployment refers to.
admin_objects() {
	local r
	: >"$RIG/drill/recipients.pem"
	for r in "$@"; do
		cat "$RIG/drill/$r.crt" >>"$RIG/drill/recipients.pem"
	done
	kubectl create secret tls -n kube-system sealed-secrets-admin-tls \
	    --cert "$RIG/drill/admin.crt" --key "$RIG/drill/admin.key" \
	    --dry-run=client -o yaml | apply
	kubectl create configmap -n kube-system sealed-secrets-admin-ca \
	    --from-file "ca.crt=$RIG/drill/admin.crt" \
	    --dry-run=client -o yaml | apply
	kubectl create configmap -n kube-system \
	    sealed-secrets-backup-recipients --dry-run=client -o yaml \
	    --from-file "recipients.pem=$RIG/drill/recipients.pem" | apply
}

# admin_start [RECIPIENT...]: the controller again, with the admin port; without
# a recipient exports are plain.
admin_start() {
	local patch=$backup_manifests/deployment-patch.yaml
	mkdir -p "$RIG/drill"
	admin_certificate
	admin_objects "$@"
	kubectl apply -f "$backup_manifests/admin-port.yaml" \
	    -f "$backup_manifests/backup.yaml"
	if [ $# = 0 ]; then
		grep -v -e --backup-recipients-file "$patch" \
		    >"$RIG/drill/patch.yaml"
		patch=$RIG/drill/patch.yaml
	fi
	kubectl patch deployment -n kube-system "$app" --patch-file "$patch"
	controller_ended || controller_stop
	get deployment -n kube-system "$app" | jq .spec.template |
	    volumes "$RIG"
	# shellcheck disable=SC2119
	controller_start
}

# admin_end: the controller as it was before.
admin_end() {
	controller_ended || controller_stop
	rm -rf "$RIG/mounts"
	kubectl delete deployment -n kube-system "$app"
	kubectl apply -f "$MANIFEST"
	# shellcheck disable=SC2119
	controller_start
}

# account NAME VERBS: may do this to Secrets where the keys are, and no more.
account() {
	kubectl create serviceaccount -n kube-system "$1" \
	    --dry-run=client -o yaml | apply
	kubectl create role -n kube-system "$1" --verb "$2" \
	    --resource secrets --dry-run=client -o yaml | apply
	kubectl create rolebinding -n kube-system "$1" --role "$1" \
	    --serviceaccount "kube-system:$1" --dry-run=client -o yaml | apply
}

# keys_as ACCOUNT ACTION [WORD...]: the client, as a person uses it.
keys_as() {
	local account=$1 action=$2
	shift 2
	(
		umask 077
		kubectl create token -n kube-system "$account" \
		    --audience sealed-secrets-admin >"$RIG/drill/token"
	)
	"$CONTROLLER" keys "$action" --server "https://$address:8443" \
	    --server-name "$admin_name" --ca-file "$RIG/drill/admin.crt" \
	    --token-file "$RIG/drill/token" "$@"
}

# opened NAME FROM TO: decrypts with the stock openssl program.
opened() {
	openssl cms -decrypt -inform PEM -in "$2" -recip "$RIG/drill/$1.crt" \
	    -inkey "$RIG/drill/$1.key" -out "$3"
}

# cronjob_runs DIR: the Pod that the shipped CronJob would make, with a folder
# for its volume that stays; prints what the container printed.
cronjob_runs() {
	local dir=$1 args
	mkdir -p "$dir/disk"
	chown 65532:65532 "$dir/disk"
	ln -sfn "$RIG/bin" "$dir/bin"
	get cronjob -n kube-system sealed-secrets-backup |
	    jq .spec.jobTemplate.spec.template >"$dir/pod.json"
	volumes "$dir" <"$dir/pod.json"
	mapfile -t args < <(jq -r '.spec.containers[0] | .args[]' \
	    "$dir/pod.json")
	same controller "$(jq -r '.spec.containers[0].command[0]' \
	    "$dir/pod.json")" "command" >&2
	unshare --mount bash "$here/lib/job.sh" "$dir" "${args[@]}"
}
