#!/bin/bash
#
# The commands of Markdown files: those in fenced blocks marked sh or console.
#
#	extract.sh DIR FILE...
#
# writes for each command DIR/NNNN.cmd, DIR/NNNN.at (FILE:LINE, LINE being the
# command's first) and DIR/NNNN.block (FILE:LINE of the block).  In a console
# block a command begins with "$ ", and what stands below it until the next one
# is what it must print: DIR/NNNN.want.
set -uo pipefail

dir=$1
shift
number=0

# incomplete TEXT: the shell would wait for another line.
incomplete() {
	[[ $1 != *\\ ]] || return 0
	[ -n "$(bash -n <<<"$1" 2>&1)" ]
}

# A comment alone is no command.
flush() {
	local name
	if [ -n "${command//[[:space:]]/}" ] &&
	    [[ ! $command =~ ^[[:space:]]*# || $command == *$'\n'* ]]; then
		number=$((number + 1))
		name=$dir/$(printf %04d "$number")
		printf '%s\n' "$command" >"$name.cmd"
		echo "$file:$first" >"$name.at"
		echo "$file:$block" >"$name.block"
		[ -z "$want" ] || printf '%s' "$want" >"$name.want"
	fi
	command='' want='' open=''
}

# more LINE: the command's first or next line.
more() {
	if [ -n "$open" ]; then
		command+=$'\n'$1
	else
		command=$1 first=$line
	fi
	open=1
	incomplete "$command" || open=0
}

sh_line() {
	[ "$open" != 0 ] || flush
	more "$1"
}

console_line() {
	if [ "$open" = 1 ]; then
		more "${1#> }"
	elif [[ $1 == '$ '* ]]; then
		flush
		more "${1#\$ }"
	elif [ -n "$command" ]; then
		want+=$1$'\n'
	else
		echo "$file:$line: output before any command" >&2
	fi
}

# A block in a list is indented as a whole.
begin() {
	indent=${1%%\`*} language=${1#*\`\`\`} block=$line
	command='' want='' open=''
}

for file; do
	language=none line=0
	while IFS= read -r text || [ -n "$text" ]; do
		line=$((line + 1))
		if [[ $text =~ ^[[:space:]]*\`\`\` ]]; then
			if [ "$language" = none ]; then
				begin "$text"
			else
				[ "$open" != 1 ] || echo \
				    "$file:$first: the command does not end" >&2
				flush
				language=none
			fi
			continue
		fi
		case $language in
		sh) sh_line "${text#"$indent"}" ;;
		console) console_line "${text#"$indent"}" ;;
		esac
	done <"$file"
done
