#!/usr/bin/env bash
# Every command of every Markdown file is run, and every link leads somewhere.
# What another target runs stands in tests/docs/covered, and nothing else.
# Arguments: files, to run only theirs. Environment: CONTROLLER (build/controller).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

ok() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAIL  $*"
}

files() {
	git ls-files '*.md'
}

# --- links

# The anchors of a file, as they are made of its headings.
anchors() {
	awk '/^ *```/ { code = !code; next } !code && /^#+ /' "$1" |
		sed -E 's/^#+ //; s/\[([^]]*)\]\([^)]*\)/\1/g' |
		tr '[:upper:]' '[:lower:]' |
		sed -E 's/[^[:alnum:] _-]//g; s/ /-/g' |
		awk '{ print $0 (seen[$0]++ ? "-" seen[$0] - 1 : "") }'
}

# "LINE TARGET" of each link, without those in code.
links() {
	awk '/^ *```/ { code = !code; next } !code {
		s = $0; gsub(/`[^`]*`/, "", s)
		while (match(s, /\]\([^)]*\)/)) {
			print FNR, substr(s, RSTART + 2, RLENGTH - 3)
			s = substr(s, RSTART + RLENGTH)
		}
	}' "$1"
}

check_link() { # file line target
	local path=${3%%#*} anchor=''
	case $3 in
	http://* | https://* | mailto:*) return 0 ;;
	*#*) anchor=${3#*#} ;;
	esac
	path=${path:+$(dirname "$1")/$path}
	[ -e "${path:-$1}" ] || {
		fail "$1:$2: no file $3"
		return
	}
	if [ -n "$anchor" ] && ! anchors "${path:-$1}" | grep -qxF -e "$anchor"
	then
		fail "$1:$2: no heading $3"
		return
	fi
	ok
}

check_links() {
	local file line target
	for file in $(files); do
		while read -r line target; do
			check_link "$file" "$line" "$target"
		done < <(links "$file")
	done
}

# --- commands within text: their targets and cases exist

inline_commands() { # file
	awk '/^ *```/ { code = !code; next } !code {
		s = $0; gsub(/\\\|/, "|", s)
		while (match(s, /`[^`]+`/)) {
			print FNR, substr(s, RSTART + 1, RLENGTH - 2)
			s = substr(s, RSTART + RLENGTH)
		}
	}' "$1" | grep -E '^[0-9]+ (make [a-z]|tests/e2e/run\.sh .*-k )'
}

has_target() { # target
	case $1 in
	unit-*) [ -e "tests/unit/test_${1#unit-}.c" ] ;;
	*) grep -qE "^\.PHONY:.* $1( |\$)" Makefile tests/tests.mk ;;
	esac
}

has_case() { # command
	local pattern list=$work/cases
	[[ $1 != *--bench* ]] || list=$work/measurements
	pattern=$(sed -E "s/.*-k '?([^']*)'?.*/\1/" <<<"$1")
	grep -qE -e "$pattern" "$list"
}

is_there() { # command
	case $1 in
	make*) has_target "$(cut -d ' ' -f 2 <<<"$1")" ;;
	*) has_case "$1" ;;
	esac
}

check_inline() {
	local file line command
	tests/e2e/run.sh --list >"$work/cases"
	tests/e2e/run.sh --list --bench >"$work/measurements"
	for file in $(files); do
		while read -r line command; do
			if is_there "$command"; then
				ok
			else
				fail "$file:$line: no such: $command"
			fi
		done < <(inline_commands "$file")
	done
}

# --- commands

# One line of covered: the target, a tab, the command without its comment.
normal() {
	sed -E 's/[[:space:]]+#.*$//; s/\\$//' | tr -s ' \t\n' ' ' |
		sed -E 's/^ //; s/ $//'
}

read_covered() {
	grep -v -e '^#' -e '^$' tests/docs/covered | cut -f 2- |
		sort >"$work/covered"
	grep -v -e '^#' -e '^$' tests/docs/covered | cut -f 1 | sort -u |
		while read -r target; do
			case $target in
			-) continue ;;
			esac
			grep -qE "^$target:|^\.PHONY:.* $target( |\$)" Makefile \
			    tests/tests.mk || echo "$target"
		done >"$work/targets"
}

# A line of covered may be for one file alone: "FILE: COMMAND".
covered() { # command file
	local line
	line=$(normal <"$1")
	grep -xF -e "$line" -e "$2: $line" "$work/covered" >>"$work/used"
}

# The commands of a file go to $work/run/N, but for those covered.
take() { # number file
	local dir=$work/run/$1 command
	mkdir -p "$dir"
	tests/docs/extract.sh "$dir" "$2" 2>"$dir/errors"
	while read -r line; do
		fail "$line"
	done <"$dir/errors"
	for command in "$dir"/*.cmd; do
		[ -e "$command" ] || continue
		! covered "$command" "$2" || rm -f "${command%.cmd}".*
	done
}

run_document() { # number file
	local dir=$work/run/$1 n
	n=$(find "$dir" -name '*.cmd' | wc -l)
	[ "$n" -gt 0 ] || return 0
	echo "== $2"
	: >"$dir/results"
	timeout 900 tests/e2e/run.sh --exec \
	    "$PWD/tests/docs/document.sh" "$dir" "$dir/results" \
	    >"$dir/log" 2>&1
	grep -v -E '^[0-9]+ passed, ' "$dir/log"
	if grep -q '^e2e: skipped' "$dir/log"; then
		skipped=$((skipped + n))
		return
	fi
	passed=$((passed + $(grep -c passed "$dir/results")))
	failed=$((failed + $(grep -c failed "$dir/results")))
	[ "$(wc -l <"$dir/results")" = "$n" ] ||
		fail "$2: not all of its $n commands were run"
}

only=("$@")
check_links
check_inline
read_covered
while read -r target; do
	fail "tests/docs/covered: there is no target $target"
done <"$work/targets"
number=0
for file in $(files); do
	number=$((number + 1))
	take "$number" "$file"
	echo "$number $file" >>"$work/documents"
done
while read -r line; do
	fail "tests/docs/covered: no file has: $line"
done < <(sort -u "$work/used" | sed '/^$/d' | comm -13 - "$work/covered")
while read -r number file; do
	[[ ${#only[@]} -eq 0 || " ${only[*]} " == *" $file "* ]] || continue
	run_document "$number" "$file"
done <"$work/documents"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
