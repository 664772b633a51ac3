#!/usr/bin/env bash
# Runs every test program of one variant and sums what they counted.
# Environment: OUT (objects of the variant), CONTROLLER (the program).
# Arguments: names to run only some of them, e.g. tests/run.sh test_codec.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

: "${OUT:=build/release}"
: "${CONTROLLER:=$OUT/controller}"
export OUT CONTROLLER
export APISERVER=$OUT/tests/apiserver
# One program may run so long; a hang is a failure with a name.
: "${TEST_TIMEOUT:=600}"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
tsan_supp=tests/tsan.supp
[ -f $tsan_supp ] &&
	export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$PWD/$tsan_supp:halt_on_error=1}

logs=$OUT/tests/logs
rm -rf "$logs"
mkdir -p "$logs"

# name, then the command line
run_one() {
	local name=$1 start status
	shift
	start=$SECONDS
	timeout "$TEST_TIMEOUT" "$@" >"$logs/$name.log" 2>&1
	status=$?
	echo "$status" >"$logs/$name.status"
	count "$logs/$name.log" PASSED >"$logs/$name.passed"
	count "$logs/$name.log" FAILED >"$logs/$name.failed"
	count "$logs/$name.log" SKIPPED >"$logs/$name.skipped"
	if [ "$status" -ne 0 ]; then
		echo "FAIL  $name (exit $status, $((SECONDS - start)) s), $logs/$name.log:"
		grep -E 'FAILED|ERROR|error|WARNING: Thread|Assertion|runtime error|line' "$logs/$name.log" |
			head -n 25 | sed 's/^/      /'
		tail -n 15 "$logs/$name.log" | sed 's/^/      /'
	else
		echo "ok    $name ($(cat "$logs/$name.passed") passed, $((SECONDS - start)) s)"
	fi
}

# cmocka closes with "[  PASSED  ] 5 test(s)."; several groups add up. A corpus
# replay says "N inputs" and counts as one test.
count() {
	awk -v word="$2" '
		index($0, "[  " word) == 1 || index($0, "[ " word) == 1 {
			for (i = 1; i <= NF; i++)
				if ($(i + 1) ~ /^test\(s\)/) { n += $i; break }
		}
		word == "PASSED" && /^[0-9]+ inputs$/ { n++ }
		END { print n + 0 }' "$1"
}
export -f run_one count
export logs TEST_TIMEOUT

wanted() {
	[ $# -eq 1 ] && return 0
	local name=$1 w
	shift
	for w in "$@"; do [ "$name" = "$w" ] && return 0; done
	return 1
}

unit=() whole=()
for bin in "$OUT"/tests/unit/test_*; do
	[ -x "$bin" ] || continue
	name=$(basename "$bin")
	[ -f "tests/unit/$name.c" ] || continue
	wanted "$name" "$@" && unit+=("$name $bin")
done
for bin in "$OUT"/tests/replay/fuzz_*; do
	[ -x "$bin" ] || continue
	name=$(basename "$bin")
	[ -f "tests/fuzz/$name.c" ] || continue
	wanted "$name" "$@" && unit+=("$name $bin tests/fuzz/corpus/$name")
done
if [ -x "$OUT/tests/conformance" ] && wanted conformance "$@"; then
	whole+=("conformance $OUT/tests/conformance")
fi
for bin in "$OUT"/tests/integration/test_*; do
	[ -x "$bin" ] || continue
	name=$(basename "$bin")
	[ -f "tests/integration/$name.c" ] || continue
	wanted "$name" "$@" && whole+=("$name $bin")
done
if [ $((${#unit[@]} + ${#whole[@]})) -eq 0 ]; then
	echo "no test programs in $OUT" >&2
	exit 1
fi

# Whole-binary tests mostly wait; two at once keep both cores busy.
printf '%s\n' "${unit[@]}" "${whole[@]}" | grep . |
	xargs -P "$(nproc)" -I{} bash -c 'set -- {}; run_one "$@"'

sum() { cat "$logs"/*."$1" 2>/dev/null | awk '{n += $1} END {print n + 0}'; }
passed=$(sum passed) failed=$(sum failed) skipped=$(sum skipped)
# A program that died without counting its failure is one all the same.
for s in "$logs"/*.status; do
	name=${s%.status}
	[ "$(cat "$s")" -ne 0 ] && [ "$(cat "$name.failed")" -eq 0 ] &&
		failed=$((failed + 1))
	if [ "$(cat "$s")" -eq 0 ] && [ "$(cat "$name.passed")" -eq 0 ]; then
		echo "FAIL  $(basename "$name") ran no test"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
