#!/bin/bash
#
# The admin port with curl: real tokens, RBAC, events; export, restore.
#
# shellcheck disable=SC2154,SC2317

port_tls() {
	mkdir -p "$RIG/admin"
	(cd "$RIG/pki" && leaf admin-port /CN=admin-port \
	    "subjectAltName = IP:$address")
	cp "$RIG/pki/admin-port.crt" "$RIG/admin/tls.crt"
	cp "$RIG/pki/admin-port.key" "$RIG/admin/tls.key"
	chmod 644 "$RIG/admin"/*
}

# port_may NAME VERB,...: a service account with these rights on Secrets where
# the keys live; its token goes to a file of its name.
port_may() {
	account "$1" "$2"
	kubectl create token -n kube-system "$1" \
	    --audience sealed-secrets-admin >"$RIG/admin/$1"
}

# What README.md of the manifests lists for the port, beyond the shipped rights.
port_rights() {
	kubectl create clusterrole admin-port-reviews --verb create \
	    --resource tokenreviews.authentication.k8s.io \
	    --resource subjectaccessreviews.authorization.k8s.io
	kubectl create clusterrolebinding admin-port-reviews \
	    --clusterrole admin-port-reviews \
	    --serviceaccount "kube-system:$app"
}

# Other cases look at what the shipped rights are enough for.
port_rights_end() {
	kubectl delete clusterrolebinding admin-port-reviews
	kubectl delete clusterrole admin-port-reviews
	kubectl delete rolebinding,role,serviceaccount -n kube-system \
	    reader exporter restorer
}

port_start() {
	controller_ended || controller_stop
	controller_start --admin-listen-addr "$address:8443" \
	    --admin-tls-cert-file "$RIG/admin/tls.crt" \
	    --admin-tls-key-file "$RIG/admin/tls.key" "$@"
}

# port_open: the port with who may use it, whichever case comes first.
port_open() {
	[ ! -e "$RIG/admin/restorer" ] || return 0
	port_tls
	port_rights
	port_may reader list
	port_may exporter get,list
	port_may restorer create
	port_start
}

# port_ask TOKEN METHOD PATH [OPTION...]: prints the status; body and head in files.
port_ask() {
	local token=$1 method=$2 path=$3
	shift 3
	curl -sS --max-time 30 --cacert "$RIG/pki/ca.crt" -X "$method" \
	    -H "Authorization: Bearer $token" -D "$RIG/admin/head" \
	    -o "$RIG/admin/body" -w '%{http_code}' "$@" \
	    "https://$address:8443$path"
}

port_token() {
	cat "$RIG/admin/$1"
}

the_admin_port_lists_the_keys_to_whom_rbac_lets() {
	port_open
	same 200 "$(port_ask "$(port_token reader)" GET /v1/keys)" "list"
	same "$(key_count)" "$(jq '.keys | length' "$RIG/admin/body")" "keys"
	same 1 "$(jq '[.keys[] | select(.seals)] | length' "$RIG/admin/body")" \
	    "sealing keys"
	lacks "$(cat "$RIG/admin/body")" tls.key
	same 404 "$(curl -sS -o /dev/null -w '%{http_code}' \
	    "http://$address:8080/v1/keys")" "the public port"
}
test_case the_admin_port_lists_the_keys_to_whom_rbac_lets

the_admin_port_refuses_tokens_and_users_alike() {
	local other
	port_open
	other=$(kubectl create token -n kube-system exporter)
	same 401 "$(port_ask "$other" POST /v1/keys/export)" "another audience"
	same '{"error":"unauthorized"}' "$(cat "$RIG/admin/body")" "401"
	same 401 "$(port_ask garbage POST /v1/keys/export)" "garbage"
	same '{"error":"unauthorized"}' "$(cat "$RIG/admin/body")" "401"
	same 403 "$(port_ask "$(port_token reader)" POST /v1/keys/export)" "export"
	same '{"error":"forbidden"}' "$(cat "$RIG/admin/body")" "403"
	same 403 "$(port_ask "$(port_token exporter)" POST /v1/keys/restore)" "restore"
	same 200 "$(port_ask "$(port_token exporter)" GET /v1/keys)" "list"
}
test_case the_admin_port_refuses_tokens_and_users_alike

the_admin_port_speaks_tls_1_2_and_newer_only() {
	local tls=(curl -sS --cacert "$RIG/pki/ca.crt" -o /dev/null
		--ciphers DEFAULT:@SECLEVEL=0)
	port_open
	fails "${tls[@]}" --tls-max 1.1 "https://$address:8443/"
	"${tls[@]}" --tls-max 1.2 "https://$address:8443/"
	"${tls[@]}" --tlsv1.3 "https://$address:8443/"
}
test_case the_admin_port_speaks_tls_1_2_and_newer_only

# port_keys_in FILE: a List without what the server sets, and in one order.
port_keys_in() {
	kubectl apply --dry-run=client -o json -f "$1" | jq -S '[(.items // [.])[] |
	    del(.metadata.creationTimestamp, .metadata.uid,
	    .metadata.resourceVersion, .metadata.managedFields,
	    .metadata.annotations)] | sort_by(.metadata.name)'
}

# port_backup: exports to $RIG/admin/backup.yaml.
port_backup() {
	same 200 "$(port_ask "$(port_token exporter)" POST /v1/keys/export)" "export"
	cp "$RIG/admin/body" "$RIG/admin/backup.yaml"
}

an_export_is_what_kubectl_gives_and_is_written_down() {
	local id digest
	port_open
	port_backup
	kubectl get secret -n kube-system -l "$key_label" -o yaml \
	    >"$RIG/admin/kubectl.yaml"
	same "$(port_keys_in "$RIG/admin/kubectl.yaml")" \
	    "$(port_keys_in "$RIG/admin/backup.yaml")" "backups"
	digest=$(openssl dgst -sha256 -binary "$RIG/admin/body" | base64)
	has "$(cat "$RIG/admin/head")" "sha-256=:$digest:"
	id=$(sed -n 's/^X-Request-Id: \([0-9a-f]*\).*/\1/p' "$RIG/admin/head")
	kubectl get events -n kube-system -o json | jq -e --arg id "$id" '
	    [.items[] | select(.metadata.annotations
	    ["sealedsecrets.bitnami.com/request-id"] == $id)] |
	    length == 1 and .[0].reason == "SealingKeysExported"'
}
test_case an_export_is_what_kubectl_gives_and_is_written_down

# An administrator relabels and removes every key; what was sealed with them
# must open again without a restart.
port_loses_the_keys() {
	kubectl delete secret -n kube-system -l "$key_label"
	within 20 fails certificate
}

a_restore_through_the_admin_port_syncs_what_had_failed() {
	local value name
	namespace
	value=$(plain)
	port_open
	port_backup
	secret "$ns" s "foo=$value" | seal >"$RIG/admin/s.json"
	port_loses_the_keys
	apply <"$RIG/admin/s.json"
	refused "$ns" s "no key could decrypt secret"
	same 200 "$(port_ask "$(port_token restorer)" POST \
	    '/v1/keys/restore?dryRun=true' \
	    --data-binary "@$RIG/admin/backup.yaml")" "dry run"
	same 0 "$(key_count)" "keys after a dry run"
	same 200 "$(port_ask "$(port_token restorer)" POST /v1/keys/restore \
	    --data-binary "@$RIG/admin/backup.yaml")" "restore"
	name=$(jq -r .seals.name "$RIG/admin/body")
	exists secret -n kube-system "$name"
	within 5 synced "$ns" s True
	unsealed "$ns" s "foo=$value"
	same 200 "$(port_ask "$(port_token restorer)" POST /v1/keys/restore \
	    --data-binary "@$RIG/admin/backup.yaml")" "again"
	same '["unchanged"]' "$(jq -c '[.keys[].result] | unique' \
	    "$RIG/admin/body")" "results"
}
test_case a_restore_through_the_admin_port_syncs_what_had_failed

with_recipients_every_export_is_encrypted() {
	port_open
	port_backup
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=backup \
	    -keyout "$RIG/admin/backup.key" -out "$RIG/admin/backup.crt"
	chmod 644 "$RIG/admin/backup.crt"
	port_start --backup-recipients-file "$RIG/admin/backup.crt"
	same 200 "$(port_ask "$(port_token exporter)" POST /v1/keys/export)" "export"
	has "$(head -n 1 "$RIG/admin/body")" "BEGIN CMS"
	openssl cms -decrypt -inform PEM -in "$RIG/admin/body" \
	    -recip "$RIG/admin/backup.crt" -inkey "$RIG/admin/backup.key" \
	    -out "$RIG/admin/opened.yaml"
	same "$(port_keys_in "$RIG/admin/backup.yaml")" \
	    "$(port_keys_in "$RIG/admin/opened.yaml")" "backups"
	controller_stop
	port_rights_end
	controller_start
}
test_case with_recipients_every_export_is_encrypted
