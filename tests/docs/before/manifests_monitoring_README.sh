#!/bin/bash
#
# The kinds of the Prometheus operator.
# shellcheck disable=SC2154,SC2317
test_case() {
	:
}
# shellcheck source=/dev/null
. "$root/tests/e2e/cases/84-chart.sh"
monitoring_kinds
