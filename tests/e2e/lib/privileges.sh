#!/bin/bash
#
# What a service account may do: changes it, and compares it with what the
# account has done, by the API server's audit log.
#
# shellcheck disable=SC2154

# role_change FILTER WORD...: changes the role that kubectl knows by these words.
role_change() {
	get "${@:2}" | jq 'del(.metadata.resourceVersion)' >"$RIG/role.json"
	jq "$1" "$RIG/role.json" | kubectl replace -f -
}

# unsealer_change FILTER: the same for what it may do with Secrets.
unsealer_change() {
	role_change "$1" clusterrole secrets-unsealer
}

# role_back: the role that was changed last, as it was.
role_back() {
	kubectl replace -f "$RIG/role.json"
}

# Only what the accounts of pods do, and no contents.
audit_policy() {
	cat <<-EOF
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		  - level: Metadata
		    userGroups: ["system:serviceaccounts"]
		  - level: None
	EOF
}

# granted NS ACCOUNT: the verbs that the shipped bindings give it, which have
# labels, other than those that a case has made by hand; one JSON a line: scope
# (a namespace, or none for all), group, resource, name (or none), verb.
granted() {
	kubectl get -o json clusterroles,clusterrolebindings >"$RIG/cluster.json"
	kubectl get -A -o json roles,rolebindings >"$RIG/roles.json"
	jq -cs --arg ns "$1" --arg sa "$2" '[.[].items[]] as $all |
	    $all[] | select(.kind | endswith("Binding")) | . as $b |
	    select(.metadata.labels != null and
		any(.subjects[]?; .kind == "ServiceAccount" and
		.name == $sa and .namespace == $ns)) |
	    $all[] | select(.kind == $b.roleRef.kind and
		.metadata.name == $b.roleRef.name and (.kind == "ClusterRole" or
		.metadata.namespace == $b.metadata.namespace)) |
	    .rules[] | . as $r | .apiGroups[] as $group |
	    .resources[] as $resource |
	    ($r.resourceNames // [null])[] as $name | .verbs[] as $verb |
	    {scope: $b.metadata.namespace, $group, $resource, $name, $verb}' \
	    "$RIG/cluster.json" "$RIG/roles.json" | sort -u
}

# used NS ACCOUNT SINCE: the same of what was asked for and not refused, from
# the line SINCE of the audit log on.
used() {
	tail -n "+$3" "$RIG/audit.log" | jq -cR --arg u \
	    "system:serviceaccount:$1:$2" 'fromjson? |
	    select(.user.username == $u and .objectRef != null and
	    .responseStatus.code != 403) | .verb as $verb | .objectRef |
	    {scope: .namespace, group: (.apiGroup // ""),
	    resource: ([.resource, .subresource // empty] | join("/")),
	    name, $verb}' | sort -u
}

audit_line() {
	echo $(($(wc -l <"$RIG/audit.log") + 1))
}

# unused NS ACCOUNT SINCE: each verb that was granted and never used, readable.
unused() {
	granted "$1" "$2" >"$RIG/granted"
	used "$@" >"$RIG/used"
	if [ ! -s "$RIG/granted" ] || [ ! -s "$RIG/used" ]; then
		die "nothing granted or nothing used"
		return
	fi
	jq -rs --slurpfile used "$RIG/used" '.[] | . as $g |
	    select(any($used[]; .group == $g.group and .verb == $g.verb and
		.resource == $g.resource and ($g.scope == null or
		.scope == $g.scope) and ($g.name == null or
		.name == $g.name)) | not) |
	    "\(.verb) \(.resource)" + (if .name then " \(.name)" else "" end)' \
	    "$RIG/granted" | sort -u
}
