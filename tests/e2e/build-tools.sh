#!/bin/bash
#
# Builds the programs of a real cluster that the end-to-end tests use, from
# source, through the ordinary Go client, into a cache outside the tree:
#
#   kube-apiserver kube-controller-manager kubectl etcd etcdctl kubeseal helm
#   reference-controller (bitnami/sealed-secrets, for switching to and fro)
#   argocd-health flux-health
#
# The last two are small programs beside their go.mod: they make what Argo CD
# and Flux think of an object available without running either.  Beside the
# folder of programs, in ../share, is what else is wanted of a module:
#
#   sealed-secrets, the reference's chart
#   prometheus-operator-crd, the definitions of what the operator takes
#
# Each folder tools/<group> is one Go module that pins one group of programs;
# the groups have dependencies that exclude each other.  The cache folder's
# name carries a hash of the module's files and of how it is built, and it comes
# into being by one rename, so a half-built program is never used.
#
# Prints the folders with the programs, joined by colons, ready for PATH.
# Exit status 77, with the reason on stdout, where the programs cannot be built
# on this machine; 1 where building them failed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sealed-secrets-e2e}
kube_version=v1.34.4

# One group's programs: name=package pairs.
programs_of() {
	case $1 in
	kubernetes)
		echo kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver
		echo kube-controller-manager=k8s.io/kubernetes/cmd/kube-controller-manager
		echo kubectl=k8s.io/kubernetes/cmd/kubectl
		;;
	etcd)
		echo etcd=go.etcd.io/etcd/server/v3
		echo etcdctl=go.etcd.io/etcd/etcdctl/v3
		;;
	kubeseal)
		echo kubeseal=github.com/bitnami/sealed-secrets/cmd/kubeseal
		echo reference-controller=github.com/bitnami/sealed-secrets/cmd/controller
		;;
	helm)
		echo helm=helm.sh/helm/v3/cmd/helm
		;;
	argocd | flux)
		echo "$1-health=."
		;;
	esac
}

# The folder of the group's module that is kept, if any: module, then path.
folder_of() {
	case $1 in
	kubeseal)
		echo github.com/bitnami/sealed-secrets helm/sealed-secrets
		;;
	operator)
		echo github.com/prometheus-operator/prometheus-operator \
		    example/prometheus-operator-crd
		;;
	esac
}

skip() {
	echo "$*"
	exit 77
}

go_is_new_enough() {
	local have
	have=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
	[ "$(printf '%s\n' "$need" "${have#go}" | sort -V | head -n 1)" = \
	    "$need" ]
}

find_go() {
	local c
	for c in go /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
		command -v "$c" >/dev/null || continue
		if go_is_new_enough "$c"; then
			command -v "$c"
			return 0
		fi
	done
	return 1
}

# Debian's own package, where the release has one that is new enough.
install_go() {
	local candidate
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	apt-get -qq update >&2 || return 1
	candidate=$(apt-cache policy golang-go |
	    sed -n 's/^ *Candidate: [0-9]*:*\([0-9.]*\).*/\1/p')
	[ -n "$candidate" ] || return 1
	[ "$(printf '%s\n' "${need%.0}" "$candidate" | sort -V | head -n 1)" = \
	    "${need%.0}" ] || return 1
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
	    install golang-go ca-certificates >&2
}

group_dir() {
	local hash
	hash=$({
		cat "$here/tools/$1/go.mod" "$here/tools/$1/go.sum"
		find "$here/tools/$1" -name '*.go' -exec cat {} +
		programs_of "$1"
		folder_of "$1"
		version_flags "$1"
	} | sha256sum | cut -c1-16)
	echo "$cache/$1-$hash"
}

# keep_folder GROUP DIR MODULE PATH: go sees to it that the module is the one of
# go.sum.
keep_folder() {
	local from
	from=$(cd "$here/tools/$1" &&
	    export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly &&
	    "$go" mod download "$3" &&
	    "$go" list -m -f '{{.Dir}}' "$3") || return
	mkdir -p "$2/share"
	cp -r "$from/$4" "$2/share"
	chmod -R u+w "$2/share"
}

build_group() {
	local group=$1 dir=$2 tmp pair folder
	echo "e2e: building $group programs (several minutes, once)" >&2
	tmp=$(mktemp -d "$cache/.$group.XXXXXX")
	mkdir "$tmp/bin"
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	for pair in $(programs_of "$group"); do
		(cd "$here/tools/$group" &&
		    CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off \
		    GOFLAGS="-mod=readonly -buildvcs=false -p=${E2E_JOBS:-2}" \
		    nice "$go" build -trimpath -o "$tmp/bin/${pair%%=*}" \
		    -ldflags "-s -w $(version_flags "$group")" \
		    "${pair#*=}") >&2 || {
			echo "e2e: building ${pair%%=*} failed" >&2
			exit 1
		}
	done
	read -ra folder <<<"$(folder_of "$group")"
	if [ ${#folder[@]} -gt 0 ]; then
		keep_folder "$group" "$tmp" "${folder[@]}" >&2 || {
			echo "e2e: no ${folder[*]}" >&2
			exit 1
		}
	fi
	mv -T "$tmp" "$dir"
	trap - EXIT
}

# What is compiled in beside the source.  Without its flags helm takes the
# cluster for an old one where it has to do without.
version_flags() {
	local v=k8s.io/component-base/version h=helm.sh/helm/v3/pkg part
	case $1 in
	helm)
		for part in chartutil lint/rules; do
			echo "-X $h/$part.k8sVersionMajor=1" \
			    "-X $h/$part.k8sVersionMinor=34"
		done
		;;
	kubernetes)
		echo "-X $v.gitVersion=$kube_version -X $v.gitMajor=1" \
		    "-X $v.gitMinor=34 -X $v.gitTreeState=clean"
		;;
	kubeseal)
		echo "-X main.VERSION=$(sed -n \
		    's,^replace .* v\([0-9.]*\)$,\1,p' \
		    "$here/tools/kubeseal/go.mod")"
		;;
	esac
}

need=$(sed -n 's/^go //p' "$here"/tools/*/go.mod | sort -V | tail -n 1)
go=
path=
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
for group in kubeseal operator argocd flux etcd helm kubernetes; do
	dir=$(group_dir "$group")
	path=${path:+$path:}$dir/bin
	[ -d "$dir" ] && continue
	if [ -z "$go" ]; then
		go=$(find_go) || { install_go && go=$(find_go); } ||
		    skip "no Go $need or newer on this machine"
	fi
	build_group "$group" "$dir"
done
echo "$path"
