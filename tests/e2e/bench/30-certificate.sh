#!/bin/bash
#
# How many requests for the certificate are answered, beside the reference and
# servers that do nothing, with the same client.
#
# shellcheck disable=SC2154,SC2317

rate_of() {
	"$BENCH/bench_http" get "$1" "$2" /v1/cert.pem 16 "${BENCH_SECONDS:-3}"
}

requests_for_the_certificate() {
	local bytes ours epoll micro theirs pids=()
	bytes=$(certificate | wc -c)
	"$BENCH/bench_http" epoll 18081 "$bytes" 2 &
	pids+=($!)
	"$BENCH/bench_http" microhttpd 18082 "$bytes" 2 &
	pids+=($!)
	sleep 0.5
	epoll=$(rate_of 127.0.0.1 18081)
	micro=$(rate_of 127.0.0.1 18082)
	ours=$(rate_of "$address" 8080)
	kill "${pids[@]}"
	same 0 "$(controller_stop TERM)" "exit status"
	reference_start "${chart_flags[@]}"
	theirs=$(rate_of "$address" 8080)
	reference_stop
	controller_start
	row "\`/v1/cert.pem\`, 16 connections" "$ours requests/s; \
the reference $theirs ($(calc "$ours / $theirs")); libmicrohttpd with a ready answer $micro ($(calc "$ours / $micro")), bare \
epoll loop $epoll" "the reference's, 35,000"
}
test_case requests_for_the_certificate
